"""Reads of a user's notifications."""

from __future__ import annotations

from django.db.models import QuerySet

from smarketing.notifications.models import Notification
from smarketing.users.models import User


def visible_to(user: User) -> QuerySet[Notification]:
    """The user's own, the latest first."""
    return Notification.objects.filter(user=user).order_by("-pk")


def unread_count(user: User, *, at_most: int = 100) -> int:
    """How many ``user`` has not read, counted up to ``at_most`` (shown as 99+)."""
    return Notification.objects.filter(user=user, read_at=None)[:at_most].count()
