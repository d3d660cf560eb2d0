"""What the SLA app tells webhooks and people."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from smarketing.notifications.topics import Kind, Topic

KINDS = (
    Kind("warning", _("My promises due soon"), _("A promise about one of your leads is due soon."), order=12),
    Kind(
        "breach",
        _("Broken promises"),
        _("A promise about a lead is overdue, or a handoff has expired."),
        order=14,
    ),
    Kind(
        "escalation",
        _("Escalations"),
        _("A broken promise went on to the team lead, to another rep or to both managers."),
        order=16,
    ),
    Kind(
        "agreement",
        _("The agreement"),
        _("A version was proposed, signed, commented on or took effect."),
        order=55,
    ),
)
TOPICS = (
    Topic("clock.warning", _("A promise about a lead is due soon"), "warning"),
    Topic("clock.breached", _("A promise about a lead is broken"), "breach"),
    Topic("clock.expired", _("A handoff has expired because nobody answered"), "breach"),
    Topic("clock.escalated", _("A broken promise reached a further step of its ladder"), "escalation"),
    Topic("clock.met", _("A promise about a lead was kept, in time or late")),
    Topic("clock.cancelled", _("A promise about a lead is owed no more")),
    Topic("agreement.proposed", _("A version of the agreement waits for signatures"), "agreement"),
    Topic("agreement.signed", _("One side signed a version of the agreement"), "agreement"),
    Topic("agreement.in_force", _("Another version of the agreement is in force"), "agreement"),
    Topic("agreement.commented", _("Somebody commented on the agreement"), "agreement"),
    Topic("meeting.logged", _("Marketing and sales have met")),
    Topic("commitment.closed", _("A period of a promise is over and its figures are frozen")),
)
