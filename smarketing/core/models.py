"""Abstract bases of the tables."""

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
