"""Leads that their owner has set aside for a while."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from funnel.models import Handoff
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User


class SnoozeQuerySet(models.QuerySet["Snooze"]):
    """Chainable verbs over snoozes."""

    def visible_to(self, user: User) -> SnoozeQuerySet:
        """Everybody sees who has set what aside: it hides nothing."""
        return self.all() if user.may(Capability.VIEW) else self.none()

    def in_force(self, now: datetime) -> SnoozeQuerySet:
        """Those that have neither run out nor been ended."""
        return self.filter(ended_at=None, until__gt=now)


class Snooze(models.Model):
    """A handoff set aside until an instant, and why. Rows stay: who put off what is told.

    One that has run out is over without anybody writing so; ``ended_at`` is when it was ended before.
    """

    handoff = models.ForeignKey(Handoff, on_delete=models.CASCADE, related_name="snoozes", db_index=False)
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    until = models.DateTimeField(_("until"))
    reason = models.CharField(_("reason"), max_length=200)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager[Snooze]] = SnoozeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["handoff"], condition=models.Q(ended_at=None), name="one_snooze_per_handoff"
            ),
            models.CheckConstraint(
                condition=models.Q(until__gt=models.F("created_at")), name="snooze_ends_after_its_start"
            ),
        ]
        indexes = [
            models.Index(fields=["handoff", "-id"], name="snoozes_of_handoff"),
            # An owner's queue asks for those of its leads that are set aside.
            models.Index(fields=["owner", "-id"], name="snoozes_of_owner"),
        ]

    def __str__(self) -> str:
        return f"snooze of handoff {self.handoff_id}"
