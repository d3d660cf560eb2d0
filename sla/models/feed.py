"""Calendar feeds: a secret address from which a calendar reads one user's due times."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from smarketing.users.models import User


class CalendarFeed(models.Model):
    """One address; only the SHA-256 of its token is kept. A user has at most one that is not revoked."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="calendar_feeds")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("made"))
    revoked_at = models.DateTimeField(null=True)
    last_read_at = models.DateTimeField(_("last read"), null=True)

    objects: ClassVar[models.Manager[CalendarFeed]] = models.Manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=models.Q(revoked_at=None), name="one_calendar_feed_per_user"
            )
        ]

    def __str__(self) -> str:
        return f"feed {self.pk}"
