"""Making, reading and revoking the secret address of a user's calendar feed."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from sla.models import CalendarFeed
from smarketing.core.changes import changed
from smarketing.users.models import User

LONGEST_TOKEN = 100
READ_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class IssuedFeed:
    """A feed with its token, which is told this once."""

    feed: CalendarFeed
    token: str


@transaction.atomic
def issue(*, user: User, now: datetime) -> IssuedFeed:
    """Make a new address for the user's due times; one made before stops working at once."""
    User.objects.select_for_update().get(pk=user.pk)
    revoke(user=user, now=now)
    token = secrets.token_urlsafe(32)
    feed = CalendarFeed.objects.create(user=user, digest=_digest(token), created_at=now)
    changed(actor=user, action="calendar_feed_made", obj=feed, now=now)
    return IssuedFeed(feed, token)


@transaction.atomic
def revoke(*, user: User, now: datetime) -> bool:
    """Let the user's address stop working; say whether there was one."""
    feed = CalendarFeed.objects.filter(user=user, revoked_at=None).first()
    if feed is None:
        return False
    feed.revoked_at = now
    feed.save(update_fields=["revoked_at"])
    changed(actor=user, action="calendar_feed_revoked", obj=feed, now=now)
    return True


def read(*, token: str, now: datetime) -> User | None:
    """Whose feed this token opens; ``None`` for one that is unknown, revoked or of somebody who left."""
    if not token.isascii() or len(token) > LONGEST_TOKEN:
        return None
    feed: CalendarFeed | None = (
        CalendarFeed.objects.select_related("user")
        .filter(digest=_digest(token), revoked_at=None, user__is_active=True)
        .first()
    )
    if feed is None:
        return None
    if feed.last_read_at is None or now - feed.last_read_at >= READ_EVERY:
        CalendarFeed.objects.filter(pk=feed.pk).update(last_read_at=now)
    return feed.user


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
