"""What the intake must know to answer, read at most once a second by each process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import structlog
from django.db import connection

from leads.domain.proofs import Proving
from leads.models import DaySalt, IdentitySecret, KeyKind, WriteKey
from smarketing.core import secrets

log = structlog.get_logger(__name__)
_INBOX = "SELECT count(*) FROM (SELECT FROM leads_eventinbox LIMIT %s) AS counted"


@dataclass(frozen=True, slots=True)
class Sender:
    """A live write key. ``used`` counts its events in ``minute_at`` over all processes."""

    key_id: int
    source_id: int
    source_code: str
    source_name: str
    is_server: bool
    origins: frozenset[str]
    per_minute: int
    consent_category: str
    minute_at: datetime | None
    used: int
    proving: Proving | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Live keys by SHA-256, how many messages wait (at most ``limit`` are counted), the salt of the day."""

    senders: Mapping[bytes, Sender]
    waiting: int
    salt: bytes


def snapshot(*, now: datetime, limit: int) -> Snapshot:
    """The state at ``now``; the salt is "" when none is made for the day."""
    keys = WriteKey.objects.filter(revoked_at=None).select_related("source__identity_secret", "use")
    salt = DaySalt.objects.filter(day=now.date()).values_list("salt", flat=True).first()
    with connection.cursor() as cursor:
        cursor.execute(_INBOX, [limit])
        row = cursor.fetchone()
    return Snapshot(
        {bytes(key.digest): _sender(key, now) for key in keys}, row[0] if row else 0, bytes(salt or b"")
    )


def _sender(key: WriteKey, now: datetime) -> Sender:
    use = getattr(key, "use", None)
    return Sender(
        key_id=key.pk,
        source_id=key.source_id,
        source_code=key.source.code,
        source_name=key.source.name,
        is_server=key.kind == KeyKind.SERVER,
        origins=frozenset(key.origins),
        per_minute=key.per_minute,
        consent_category=key.consent_category,
        minute_at=use.minute_at if use else None,
        used=use.events if use else 0,
        proving=_proving(getattr(key.source, "identity_secret", None), now),
    )


def _proving(kept: IdentitySecret | None, now: datetime) -> Proving | None:
    if kept is None:
        return None
    stored = [kept.secret]
    if kept.former_until is not None and now < kept.former_until:
        stored.append(kept.former_secret)
    return Proving(tuple(text for one in stored if (text := _opened(one))), required=kept.is_required)


@lru_cache(maxsize=1024)
def _opened(stored: str) -> str:
    """The secret, "" when no key opens it: then nothing that it has signed is believed."""
    try:
        return secrets.decrypt(stored)
    except secrets.UndecryptableSecret:
        log.exception("identity_secret_does_not_open")
        return ""
