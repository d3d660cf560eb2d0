"""Clocks: one running promise about one handoff, with stored deadlines."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from funnel.models import Handoff
from sla.models.agreement import Clause
from sla.models.calendar import CalendarVersion
from smarketing.core.models import Versioned
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User


class ClockKind(models.TextChoices):
    """What is promised."""

    RESPOND = "respond", _("First response")
    DEPTH = "depth", _("Depth of follow-up")
    OUTCOME = "outcome", _("Outcome")
    FEEDBACK = "feedback", _("Feedback on the return")


class ClockState(models.TextChoices):
    """States of a clock (sla.domain.clocks has the transition table)."""

    RUNNING = "running", _("Running")
    PAUSED = "paused", _("Paused")
    MET = "met", _("Met")
    BREACHED_OPEN = "breached_open", _("Breached, still open")
    BREACHED_MET_LATE = "breached_met_late", _("Breached, met late")
    CANCELLED = "cancelled", _("Cancelled")


class ClockQuerySet(models.QuerySet["Clock"]):
    """Chainable verbs over clocks."""

    def visible_to(self, user: User) -> ClockQuerySet:
        """Everybody sees every clock: a breach can't be hidden."""
        return self.all() if user.may(Capability.VIEW) else self.none()

    def open(self) -> ClockQuerySet:
        """Clocks that have not ended: the promise can still be kept, in time or late."""
        return self.filter(ended_at=None)

    def breached(self) -> ClockQuerySet:
        """Clocks whose promise was broken, answered late or never."""
        return self.filter(state__in=[ClockState.BREACHED_OPEN, ClockState.BREACHED_MET_LATE])


class Clock(Versioned):
    """A promise in time. ``thresholds`` = [{level, name, kind, at}] computed once; ``next_at`` is the next.

    While paused ``due_at`` is null and ``remaining_seconds`` is the open time left; the pause ends by itself
    at ``resumes_at``. ``elapsed_seconds`` is
    the open time from start to end without pauses, known once the clock has ended. A clock that ends by
    a return or an expiry after its breach stays ``breached_open``: the breach remains in the statistics.
    """

    handoff = models.ForeignKey(Handoff, on_delete=models.PROTECT, related_name="clocks", db_index=False)
    clause = models.ForeignKey(Clause, on_delete=models.PROTECT, related_name="+", db_index=False)
    calendar_version = models.ForeignKey(
        CalendarVersion, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="clocks", db_index=False)
    kind = models.CharField(max_length=10, choices=ClockKind.choices)
    cycle = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(max_length=18, choices=ClockState.choices, default=ClockState.RUNNING)
    started_at = models.DateTimeField()
    target_seconds = models.PositiveIntegerField()
    due_at = models.DateTimeField(null=True)
    paused_at = models.DateTimeField(null=True)
    remaining_seconds = models.PositiveIntegerField(null=True)
    resumes_at = models.DateTimeField(null=True)
    thresholds = models.JSONField(default=list)
    fired = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(null=True)
    breached_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    elapsed_seconds = models.PositiveIntegerField(null=True)

    objects: ClassVar[models.Manager[Clock]] = ClockQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["handoff", "clause", "cycle"], name="clock_cycle_once"),
            models.CheckConstraint(
                condition=models.Q(next_at=None) | models.Q(state__in=["running", "breached_open"]),
                name="only_counting_clocks_wait",
            ),
            models.CheckConstraint(
                condition=models.Q(ended_at=None) | ~models.Q(state__in=["running", "paused"]),
                name="ended_clock_has_final_state",
            ),
            models.CheckConstraint(
                condition=models.Q(ended_at__isnull=False)
                | models.Q(state__in=["running", "paused", "breached_open"]),
                name="final_state_has_an_end",
            ),
            models.CheckConstraint(
                condition=models.Q(state="paused", paused_at__isnull=False, due_at=None)
                | (~models.Q(state="paused") & models.Q(paused_at=None, due_at__isnull=False)),
                name="paused_clock_has_no_deadline",
            ),
            models.CheckConstraint(
                condition=models.Q(resumes_at=None) | models.Q(state="paused"),
                name="only_paused_clocks_resume",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_at", "id"], name="clock_sweep", condition=models.Q(next_at__isnull=False)
            ),
            models.Index(
                fields=["owner", "due_at", "id"],
                name="clocks_open_of_owner",
                condition=models.Q(ended_at=None),
            ),
            # The board lists all open clocks by deadline; attainment counts those due in a period.
            models.Index(
                fields=["due_at", "id"], name="clocks_open_by_deadline", condition=models.Q(ended_at=None)
            ),
            models.Index(fields=["clause", "due_at"], name="clocks_due_of_clause"),
            models.Index(fields=["-started_at", "-id"], name="clocks_newest"),
            # The sweep lets pauses end; a new calendar version recalculates the clocks of the old one.
            models.Index(
                fields=["resumes_at", "id"],
                name="clocks_to_resume",
                condition=models.Q(resumes_at__isnull=False),
            ),
            models.Index(
                fields=["calendar_version", "id"],
                name="clocks_open_of_calendar",
                condition=models.Q(ended_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} clock {self.pk}"


class ClockEvent(models.Model):
    """A threshold that was reached: at most once per level. ``due_at`` is when, not when seen."""

    clock = models.ForeignKey(Clock, on_delete=models.PROTECT, related_name="events", db_index=False)
    level = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=10)
    due_at = models.DateTimeField()
    detected_at = models.DateTimeField()
    voided_at = models.DateTimeField(null=True)
    void_reason = models.CharField(max_length=300, blank=True)
    voided_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["clock", "level"]
        constraints = [models.UniqueConstraint(fields=["clock", "level"], name="clock_level_fires_once")]

    def __str__(self) -> str:
        return f"{self.clock_id} level {self.level}"


class ClockAction(models.Model):
    """What was done to a clock by whom: start, stop, pause, resume, cancel, recalculate."""

    clock = models.ForeignKey(Clock, on_delete=models.PROTECT, related_name="actions")
    verb = models.CharField(max_length=12)
    at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    actor = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=300, blank=True)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    class Meta:
        ordering = ["clock", "id"]

    def __str__(self) -> str:
        return f"{self.verb} {self.clock_id}"
