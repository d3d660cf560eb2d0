"""What the leads app tells webhooks and people."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from smarketing.notifications.topics import Kind, Topic

KINDS = (
    Kind(
        "reply",
        _("Replies to my mails"),
        _("Somebody answered your mail, or it could not be delivered."),
        order=15,
    ),
    Kind("task", _("My tasks"), _("A task or next step of yours is due."), order=18),
    Kind("form", _("Answers to my forms"), _("Somebody filled in a form whose answers go to you."), order=40),
)
TOPICS = (
    Topic("lead.captured", _("A lead came in, by form, interface or hand")),
    Topic("attempt.logged", _("Somebody of ours tried to reach a person")),
    Topic("form.answered", _("A form was answered"), "form"),
    Topic("task.due", _("A task is due"), "task"),
    Topic("mail.replied", _("A person replied to a mail"), "reply"),
    Topic("mail.bounced", _("A mail could not be delivered"), "reply"),
    Topic("mail.written", _("A colleague wrote a mail to a person")),
    Topic("consent.confirmation_asked", _("Somebody was asked to confirm a consent")),
    Topic("inbox.stopped", _("Tracking has stopped"), "installation"),
)
