"""What the leads app tells webhooks and people."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from smarketing.notifications.topics import Kind, Topic

KINDS = (
    Kind("form", _("Answers to my forms"), _("Somebody filled in a form whose answers go to you."), order=40),
)
TOPICS = (
    Topic("lead.captured", _("A lead came in, by form, interface or hand")),
    Topic("attempt.logged", _("Somebody of ours tried to reach a person")),
    Topic("form.answered", _("A form was answered"), "form"),
    Topic("consent.confirmation_asked", _("Somebody was asked to confirm a consent")),
    Topic("inbox.stopped", _("Tracking has stopped"), "installation"),
)
