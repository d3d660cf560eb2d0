"""What users do with their notifications."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from smarketing.notifications.models import Notification
from smarketing.users.models import User


@transaction.atomic
def mark_read(*, user: User, now: datetime, ids: Sequence[int] | None = None) -> int:
    """Mark these of ``user``'s notifications as read, or all of them; returns how many were unread."""
    unread = Notification.objects.filter(user=user, read_at=None)
    if ids is not None:
        unread = unread.filter(pk__in=ids)
    return unread.update(read_at=now)
