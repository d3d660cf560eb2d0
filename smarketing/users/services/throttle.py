"""Slowing down who guesses passwords, without ever locking an account for good.

Failures are counted per account and per account and address. After five from one address each
further try waits twice as long, up to a quarter of an hour; an account attacked from many addresses
waits at most a minute, so that its owner still gets in. Counters stand in the database.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction

from smarketing.users.models import SignInFailures

FORGET_AFTER = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class _Rule:
    free: int
    longest: timedelta


_FROM_ONE_ADDRESS = _Rule(free=5, longest=timedelta(minutes=15))
_OF_ONE_ACCOUNT = _Rule(free=20, longest=timedelta(minutes=1))

_COUNT = """
INSERT INTO users_signinfailures AS f (key, failures, last_at) VALUES (%(key)s, 1, %(now)s)
ON CONFLICT (key) DO UPDATE SET
  failures = CASE WHEN f.last_at < %(forget)s THEN 1 ELSE f.failures + 1 END, last_at = %(now)s
RETURNING failures
"""


def seconds_to_wait(*, email: str, address: str, now: datetime) -> int:
    """How long this account has to wait from this address; 0 when it may try."""
    rows = SignInFailures.objects.filter(key__in=_keys(email, address), blocked_until__gt=now)
    waits = [(row.blocked_until - now).total_seconds() for row in rows if row.blocked_until]
    return int(max(waits, default=0)) + (1 if waits else 0)


@transaction.atomic
def failed(*, email: str, address: str, now: datetime) -> None:
    """Count a failure and set how long to wait."""
    rules = zip(_keys(email, address), (_FROM_ONE_ADDRESS, _OF_ONE_ACCOUNT), strict=True)
    for key, rule in sorted(rules, key=lambda pair: pair[0]):  # one order of locks
        with connection.cursor() as cursor:
            cursor.execute(_COUNT, {"key": key, "now": now, "forget": now - FORGET_AFTER})
            failures = cursor.fetchone()[0]
        beyond = failures - rule.free
        if beyond > 0:
            pause = min(timedelta(seconds=2 ** min(beyond, 20)), rule.longest)
            SignInFailures.objects.filter(key=key).update(blocked_until=now + pause)


@transaction.atomic
def succeeded(*, email: str, address: str) -> None:
    """Forget the failures of this account from this address."""
    SignInFailures.objects.filter(key=_keys(email, address)[0]).delete()


def forget_old(*, now: datetime, limit: int) -> int:
    """Delete counters that nothing was added to for a day; a loop."""
    old = SignInFailures.objects.filter(last_at__lt=now - FORGET_AFTER).values_list("pk", flat=True)[:limit]
    deleted, _ = SignInFailures.objects.filter(pk__in=list(old)).delete()
    return deleted


def _keys(email: str, address: str) -> tuple[str, str]:
    account = email.strip().lower()
    return tuple(hashlib.sha256(text.encode()).hexdigest() for text in (f"{account}|{address}", account))  # type: ignore[return-value]
