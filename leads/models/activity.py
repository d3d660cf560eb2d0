"""Activities: what colleagues did or plan to do with a person."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from leads.models.company import Company
from leads.models.lead import Lead
from leads.models.person import Person
from leads.models.source import FromSource
from smarketing.core.models import Stamped, Versioned
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User


class ActivityKind(models.TextChoices):
    """What was done."""

    CALL = "call", _("Call")
    MAIL = "mail", _("E-mail")
    MEETING = "meeting", _("Meeting")
    NOTE = "note", _("Note")
    TASK = "task", _("Task")


class Direction(models.TextChoices):
    """Who approached whom."""

    OUTBOUND = "outbound", _("Outbound")
    INBOUND = "inbound", _("Inbound")
    INTERNAL = "internal", _("Internal")


class ActivityOutcome(models.TextChoices):
    """What came of it."""

    REACHED = "reached", _("Reached")
    NO_ANSWER = "no_answer", _("No answer")
    LEFT_MESSAGE = "left_message", _("Left a message")
    SENT = "sent", _("Sent")
    REPLIED = "replied", _("Replied")
    BOUNCED = "bounced", _("Bounced")
    HELD = "held", _("Held")
    NO_SHOW = "no_show", _("No show")


class ActivityQuerySet(models.QuerySet["Activity"]):
    """Chainable verbs over activities."""

    def visible_to(self, user: User) -> ActivityQuerySet:
        """Both teams read the same records (R43); whoever may not view gets none."""
        return self.all() if user.may(Capability.VIEW) else self.none()


class Activity(Stamped, Versioned, FromSource):
    """A call, mail, meeting, note or task. Only human outbound ones count as an attempt."""

    person = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.CASCADE, related_name="activities", db_index=False
    )
    lead = models.ForeignKey(
        Lead, null=True, blank=True, on_delete=models.SET_NULL, related_name="activities"
    )
    company = models.ForeignKey(
        Company, null=True, blank=True, on_delete=models.SET_NULL, related_name="activities"
    )
    kind = models.CharField(_("kind"), max_length=10, choices=ActivityKind.choices)
    direction = models.CharField(_("direction"), max_length=10, choices=Direction.choices)
    outcome = models.CharField(_("outcome"), max_length=16, choices=ActivityOutcome.choices, blank=True)
    subject = models.CharField(_("subject"), max_length=300, blank=True)
    body = models.TextField(_("text"), blank=True)
    occurred_at = models.DateTimeField(_("when"))
    duration_seconds = models.PositiveIntegerField(_("duration"), null=True, blank=True)
    due_at = models.DateTimeField(_("due"), null=True, blank=True)
    done_at = models.DateTimeField(_("done"), null=True, blank=True)
    # When whoever is to do a task was told that it is due.
    reminded_at = models.DateTimeField(null=True, blank=True, editable=False)
    actor = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    is_automated = models.BooleanField(_("sent by an automation"), default=False)

    objects: ClassVar[models.Manager[Activity]] = ActivityQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "activities"
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="activity_from_source_once"),
            models.CheckConstraint(
                condition=models.Q(person__isnull=False) | models.Q(company__isnull=False),
                name="activity_has_subject",
            ),
        ]
        indexes = [
            models.Index(fields=["person", "-occurred_at", "-id"], name="activity_timeline"),
            models.Index(
                fields=["actor", "due_at"],
                name="activity_open_tasks",
                condition=models.Q(kind="task", done_at=None),
            ),
            # Read by the promise of contacts per rep: whom a colleague tried to reach in a period.
            models.Index(
                fields=["actor", "occurred_at"],
                include=["person"],
                name="activity_attempts_of_actor",
                condition=models.Q(
                    kind__in=["call", "mail", "meeting"], direction="outbound", is_automated=False
                ),
            ),
            # Read by the loop that reminds.
            models.Index(
                fields=["due_at", "id"],
                name="activity_to_remind",
                condition=models.Q(kind="task", done_at=None, reminded_at=None),
            ),
        ]

    def __str__(self) -> str:
        return self.subject or self.kind
