"""Events: recorded behaviour. The ledger from which interest is projected."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from leads.models.person import Person
from leads.models.source import Source
from leads.models.visitor import Visitor
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User


class EventKind(models.TextChoices):
    """The call that recorded the behaviour."""

    PAGE = "page", _("Page view")
    SCREEN = "screen", _("Screen of an app")
    TRACK = "track", _("Action")
    IDENTIFY = "identify", _("Identification")
    FORM = "form", _("Form")
    EMAIL_OPEN = "email_open", _("E-mail opened")
    EMAIL_CLICK = "email_click", _("E-mail link clicked")
    GROUP = "group", _("Company named")
    ALIAS = "alias", _("New id")


class Screened(models.TextChoices):
    """Why an event is kept and shown but never counts towards interest."""

    SCANNER = "scanner", _("A link scanner clicked")
    MACHINE = "machine", _("A mail program opened it by itself")
    IMPLIED = "implied", _("Already counted by another event of the same mail")


# Pages and actions of a browser stand in its sessions; forms and mail stand on the timeline by themselves.
OUTSIDE_VISITS = models.Q(visitor=None) | models.Q(kind__in=["form", "identify", "email_open", "email_click"])


class EventQuerySet(models.QuerySet["Event"]):
    """Chainable verbs over events."""

    def visible_to(self, user: User) -> EventQuerySet:
        """Both teams read the same records (R43); whoever may not view gets none."""
        return self.all() if user.may(Capability.VIEW) else self.none()

    def outside_visits(self) -> EventQuerySet:
        """Those that the timeline shows by themselves; served by ``event_outside_visits``."""
        return self.filter(OUTSIDE_VISITS)

    def counting(self) -> EventQuerySet:
        """Those a human made: only they count towards interest."""
        return self.filter(screened="")


class Event(models.Model):
    """One behaviour. The key is the UUIDv5 of (source, message id): stored at most once, for ever."""

    id = models.UUIDField(primary_key=True)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+", db_index=False)
    person = models.ForeignKey(
        Person, null=True, on_delete=models.CASCADE, related_name="events", db_index=False
    )
    anonymous_id = models.CharField(max_length=255, blank=True)
    kind = models.CharField(max_length=12, choices=EventKind.choices)
    name = models.CharField(max_length=255, blank=True)
    url = models.CharField(max_length=2000, blank=True)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    properties = models.JSONField(default=dict)
    visitor = models.ForeignKey(
        Visitor, null=True, on_delete=models.SET_NULL, related_name="events", db_index=False
    )
    # As the source named the person; "" when it did not.
    user_id = models.CharField(max_length=255, blank=True, db_default="")
    # The event itself says who it is (by user id or e-mail address); others follow their visitor.
    is_named = models.BooleanField(default=False, db_default=False)
    # Referrer, title, campaign parameters and flags: where and how it happened.
    context = models.JSONField(default=dict, db_default={})
    screened = models.CharField(
        _("does not count"), max_length=8, choices=Screened.choices, blank=True, db_default=""
    )

    objects: ClassVar[models.Manager[Event]] = EventQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["person", "-occurred_at", "-id"], name="event_timeline"),
            # The timeline's own entries: what stands in no visit.
            models.Index(
                fields=["person", "-occurred_at", "-id"],
                name="event_outside_visits",
                condition=OUTSIDE_VISITS,
            ),
            BrinIndex(fields=["received_at"], name="event_by_arrival"),
            models.Index(
                fields=["visitor", "occurred_at"],
                name="event_of_visitor",
                condition=models.Q(visitor__isnull=False),
            ),
            models.Index(
                fields=["visitor", "occurred_at", "id"],
                name="event_naming_visitor",
                condition=models.Q(is_named=True, visitor__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.kind
