"""Replays: what versions of the definition would have done to the leads of a period."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from smarketing.users.models import User


class ReplayState(models.TextChoices):
    """How far a replay came."""

    WAITING = "waiting", _("Waiting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")


class ReplayQuerySet(models.QuerySet["Replay"]):
    """Chainable verbs over replays."""

    def due(self) -> ReplayQuerySet:
        """Those to be carried out, oldest first."""
        return self.filter(state__in=[ReplayState.WAITING, ReplayState.RUNNING]).order_by("pk")


class Replay(models.Model):
    """One replay of up to four versions. ``versions`` holds their numbers, digests and documents as they
    were when it was asked for; ``results`` one result per version, in the same order.
    """

    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("to"))
    versions = models.JSONField()
    state = models.CharField(max_length=8, choices=ReplayState.choices, default=ReplayState.WAITING)
    leads_total = models.PositiveIntegerField(default=0)
    leads_done = models.PositiveIntegerField(default=0)
    results = models.JSONField(default=list)
    problem = models.CharField(max_length=500, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    requested_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    requested_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager[Replay]] = ReplayQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(starts_at__lt=models.F("ends_at")), name="replay_period_has_length"
            )
        ]

    def __str__(self) -> str:
        return f"replay {self.pk}"
