"""Events: recorded behaviour. The ledger from which interest is projected."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from leads.models.person import Person
from leads.models.source import Source
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User


class EventKind(models.TextChoices):
    """The call that recorded the behaviour."""

    PAGE = "page", _("Page view")
    TRACK = "track", _("Action")
    IDENTIFY = "identify", _("Identification")
    FORM = "form", _("Form")
    EMAIL_OPEN = "email_open", _("E-mail opened")
    EMAIL_CLICK = "email_click", _("E-mail link clicked")


class EventQuerySet(models.QuerySet["Event"]):
    """Chainable verbs over events."""

    def visible_to(self, user: User) -> EventQuerySet:
        """Both teams read the same records (R43); whoever may not view gets none."""
        return self.all() if user.may(Capability.VIEW) else self.none()


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

    objects: ClassVar[models.Manager[Event]] = EventQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["person", "-occurred_at", "-id"], name="event_timeline"),
            BrinIndex(fields=["received_at"], name="event_by_arrival"),
        ]

    def __str__(self) -> str:
        return self.name or self.kind
