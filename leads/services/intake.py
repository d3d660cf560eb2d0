"""Accepting messages durably, and counting what came and what did not.

``accept`` is one statement in a transaction of its own: when it returns, the messages are on disk. The
counters are added to once a second by each process, so they may miss the last second of one that was
killed; they inform, nothing is decided by them but the rate of a key.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction

from leads.models import DaySalt
from smarketing.core.prepared import Statement

# All rows are one value: a list of values for each column would cost more to write and to read than the rows.
_ACCEPT = Statement(
    "inbox_accept",
    """
INSERT INTO leads_eventinbox
    (message_id, source_id, kind, occurred_at, received_at, body, attempts, not_before, last_error)
SELECT (body->>'id')::uuid, (body->>'source_id')::bigint, body->>'type', (body->>'occurred_at')::timestamptz,
       received_at, body, 0, received_at, ''
  FROM jsonb_array_elements(%(rows)s::jsonb) AS body,
       LATERAL (SELECT (body->>'received_at')::timestamptz) AS t (received_at)
ON CONFLICT (message_id) DO NOTHING
RETURNING message_id::text
""",
)
_COUNT = """
INSERT INTO leads_intakecount (day, source_id, outcome, events)
SELECT day, nullif(source_id, 0), outcome, events
FROM unnest(%s::date[], %s::bigint[], %s::text[], %s::bigint[]) AS t (day, source_id, outcome, events)
ON CONFLICT (day, source_id, outcome) DO UPDATE SET events = leads_intakecount.events + excluded.events
"""
_USE = """
INSERT INTO leads_writekeyuse AS u (key_id, last_seen_at, minute_at, events)
SELECT key_id, %s, %s, events FROM unnest(%s::bigint[], %s::bigint[]) AS t (key_id, events)
ON CONFLICT (key_id) DO UPDATE SET
    last_seen_at = greatest(u.last_seen_at, excluded.last_seen_at),
    events = CASE WHEN excluded.minute_at > u.minute_at THEN excluded.events
        WHEN excluded.minute_at = u.minute_at THEN u.events + excluded.events ELSE u.events END,
    minute_at = greatest(u.minute_at, excluded.minute_at)
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One message for the inbox; ``body`` is the text of ``Message.to_json``."""

    id: str
    body: str


def accept(*, rows: Sequence[Row]) -> frozenset[str]:
    """Write messages into the inbox; the ids of those that were not waiting there already.

    One statement and, outside a transaction, one durable commit. Rows are written in the order of their ids,
    so that two batches never wait for each other in a circle.
    """
    ordered = sorted({row.id: row for row in reversed(rows)}.values(), key=lambda row: row.id)
    written = _ACCEPT.rows(rows=f"[{','.join(row.body for row in ordered)}]")
    return frozenset(key for (key,) in written)


def count(*, outcomes: Mapping[tuple[int | None, str], int], now: datetime) -> None:
    """Add to the counters of the day: (source or ``None``, outcome) → events."""
    rows = sorted(
        (source or 0, outcome[:40], events) for (source, outcome), events in outcomes.items() if events
    )
    if rows:
        days = [now.date().isoformat()] * len(rows)
        with connection.cursor() as cursor:
            cursor.execute(_COUNT, [days, *(list(column) for column in zip(*rows, strict=True))])


def note_use(*, events: Mapping[int, int], now: datetime) -> None:
    """Add to what keys were used in this minute: key → events."""
    keys = sorted(events)
    if keys:
        minute = now.replace(second=0, microsecond=0)
        with connection.cursor() as cursor:
            cursor.execute(_USE, [now, minute, keys, [events[key] for key in keys]])


@transaction.atomic
def renew_salt(*, now: datetime) -> None:
    """See that the day has a salt, and forget those of the days before yesterday's end."""
    day = now.date()
    DaySalt.objects.bulk_create([DaySalt(day=day, salt=secrets.token_bytes(32))], ignore_conflicts=True)
    DaySalt.objects.filter(day__lt=day - timedelta(days=1)).delete()
