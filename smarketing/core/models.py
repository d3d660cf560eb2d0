"""Abstract bases of the tables, and the heartbeats of the machinery itself."""

from __future__ import annotations

from django.db import models

from smarketing.core import clock


class Stamped(models.Model):
    """When the row was made and last changed; services pass ``now`` explicitly."""

    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        abstract = True


class Versioned(models.Model):
    """Optimistic lock: every edit names the version it has read (ETag, hidden form field)."""

    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        abstract = True


class Heartbeat(models.Model):
    """The last sign of life of a part of the machinery: one row per name, overwritten.

    ``canary`` is written by a task that went through the broker and a worker. ``clock`` carries the
    comparison of the wall clock with the time since boot, by which a jump of the clock is noticed.
    """

    name = models.CharField(max_length=100, primary_key=True)
    beat_at = models.DateTimeField()
    # Wall clock minus seconds since boot, in seconds: constant until somebody moves the clock.
    clock_offset_seconds = models.FloatField(null=True)
    held_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "core_heartbeat"

    def __str__(self) -> str:
        return self.name
