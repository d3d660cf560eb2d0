"""Reads of a user's notifications."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from smarketing.core.prepared import Statement
from smarketing.notifications.models import Notification
from smarketing.users.models import User

_UNREAD = Statement(
    "notifications_unread",
    """
SELECT count(*), max(id)
  FROM (SELECT id FROM notifications_notification WHERE user_id = %(user)s AND read_at IS NULL
         ORDER BY id DESC LIMIT %(at_most)s) unread
""",
)


def visible_to(user: User) -> QuerySet[Notification]:
    """The user's own, the latest first."""
    return Notification.objects.filter(user=user).order_by("-pk")


@dataclass(frozen=True, slots=True)
class Unread:
    """How many are unread, counted up to a limit, and the key of the latest of them (0 for none)."""

    count: int
    newest: int

    @property
    def tag(self) -> str:
        """What an ETag of the count is made of."""
        return f"{self.count}-{self.newest}"


def unread(user: User, *, at_most: int = 100) -> Unread:
    """What ``user`` has not read, counted up to ``at_most`` (shown as 99+)."""
    ((count, newest),) = _UNREAD.rows(user=user.pk, at_most=at_most)
    return Unread(count, newest or 0)


def unread_count(user: User, *, at_most: int = 100) -> int:
    """How many ``user`` has not read, counted up to ``at_most``."""
    return Notification.objects.filter(user=user, read_at=None)[:at_most].count()


def arrived_since(user: User, newest: int) -> Notification | None:
    """The latest unread one, if it came after the one with the key ``newest``."""
    return Notification.objects.filter(user=user, read_at=None, pk__gt=newest).order_by("-pk").first()
