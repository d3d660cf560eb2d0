"""Standard Webhooks: how a message is signed and when it is tried again.

Signature: ``v1,`` + base64 of HMAC-SHA256 over ``id.timestamp.body`` with the secret's bytes; while a
secret turns over, one per secret, separated by spaces (Standard Webhooks specification 1.0).
"""

from __future__ import annotations

import base64
import hmac
import secrets
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

SECRET_PREFIX = "whsec_"  # noqa: S105 (the public prefix of every secret)

# Pause before attempt 2, 3, …; the specification's own schedule, about three days in all.
SCHEDULE = tuple(
    timedelta(seconds=seconds) for seconds in (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
JITTER = 0.2
MAX_WAIT = timedelta(hours=24)


def new_message_id() -> str:
    """The ``webhook-id`` of a new message, kept over all its attempts."""
    return f"msg_{uuid.uuid4().hex}"


def new_secret() -> str:
    """A fresh signing secret of 32 random bytes."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def covers(pattern: str, topic: str) -> bool:
    """Whether a pattern of a receiver (``handoff.delivered``, ``handoff.*``, ``*``) covers a topic."""
    return pattern in ("*", topic) or (pattern.endswith(".*") and topic.startswith(pattern[:-1]))


def signatures(*, msg_id: str, timestamp: int, body: bytes, keys: Iterable[str]) -> str:
    """The value of ``webhook-signature`` for all ``keys`` (``whsec_…``)."""
    content = f"{msg_id}.{timestamp}.".encode() + body
    return " ".join(f"v1,{_sign(key, content)}" for key in keys)


def next_pause(*, attempts: int, chance: float, retry_after: timedelta | None = None) -> timedelta | None:
    """How long to wait after the ``attempts``-th failure; ``None`` when the schedule is over.

    ``chance`` in [0, 1) spreads the pause by ±20 %. A longer ``retry_after`` is honoured, up to a day.
    """
    if attempts > len(SCHEDULE):
        return None
    pause = SCHEDULE[max(0, attempts - 1)] * (1 - JITTER + 2 * JITTER * chance)
    return max(pause, min(retry_after, MAX_WAIT)) if retry_after is not None else pause


def retry_after(header: str | None, *, now: datetime) -> timedelta | None:
    """The wait a receiver asks for: seconds or an HTTP date (RFC 9110); ``None`` if unreadable."""
    if not header:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), int(MAX_WAIT.total_seconds())))
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(timedelta(0), min(at - now, MAX_WAIT))


def _sign(key: str, content: bytes) -> str:
    raw = base64.b64decode(key.removeprefix(SECRET_PREFIX))
    return base64.b64encode(hmac.digest(raw, content, "sha256")).decode()
