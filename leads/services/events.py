"""Storing behaviour, each event at most once for ever."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from leads.domain.tracking import event_id
from leads.events import EventsRecorded
from leads.models import EventKind, Source
from smarketing.core import events
from smarketing.core.errors import FieldError, Invalid

_MAX_PROPERTIES = 32 * 1024  # bytes of JSON, as Segment limits an event
_INSERT = """
INSERT INTO leads_event
    (id, source_id, person_id, anonymous_id, kind, name, url, occurred_at, received_at, properties,
     visitor_id, user_id, is_named, context, screened)
SELECT id, source_id, person_id, anonymous_id, kind, name, url, occurred_at, received_at, properties::jsonb,
       visitor_id, user_id, is_named, context::jsonb, screened
FROM unnest(
    %s::uuid[], %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[],
    %s::timestamptz[], %s::timestamptz[], %s::text[], %s::bigint[], %s::text[], %s::bool[], %s::text[],
    %s::text[]
) AS t (id, source_id, person_id, anonymous_id, kind, name, url, occurred_at, received_at, properties,
        visitor_id, user_id, is_named, context, screened)
ON CONFLICT (id) DO NOTHING
RETURNING id
"""


class BadEvent(Invalid):
    """An event can't be stored; ``errors`` say which and why. Nothing was stored."""

    code = "bad_event"


@dataclass(frozen=True, slots=True)
class EventInput:
    """One behaviour as its source tells it. ``message_id`` is unique within the source.

    ``id`` is the event's key where the caller has computed it already. The last five columns are those of
    tracking: see :class:`~leads.models.Event`.
    """

    source: Source
    message_id: str
    kind: str
    occurred_at: datetime
    person_id: int | None = None
    anonymous_id: str = ""
    name: str = ""
    url: str = ""
    received_at: datetime | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    id: uuid.UUID | None = None
    visitor_id: int | None = None
    user_id: str = ""
    is_named: bool = False
    context: Mapping[str, Any] = field(default_factory=dict)
    screened: str = ""


def id_of(*, source: Source, message_id: str) -> uuid.UUID:
    """The key of an event: UUIDv5 of (source, message id)."""
    return event_id(source_code=source.code, message_id=message_id)


@transaction.atomic
def record(*, rows: Sequence[EventInput], now: datetime) -> tuple[uuid.UUID, ...]:
    """Store the events that are not stored yet and return their ids, in the order of ``rows``.

    One statement; rows are written in the order of their keys, so that two batches never wait for
    each other in a circle. A time ahead of the arrival counts as the arrival. Raises
    :class:`BadEvent` and stores nothing when one of them can't be stored.
    """
    wrong = [error for number, row in enumerate(rows) for error in _faults(number, row)]
    if wrong:
        raise BadEvent(_("Some of the events can't be stored."), errors=wrong)
    by_id: dict[uuid.UUID, EventInput] = {}
    for row in rows:
        by_id.setdefault(row.id or id_of(source=row.source, message_id=row.message_id), row)
    if not by_id:
        return ()
    columns = zip(*(_columns(key, row, now) for key, row in sorted(by_id.items())), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [list(column) for column in columns])
        new = {uuid.UUID(str(key)) for (key,) in cursor.fetchall()}
    stored = tuple(key for key in by_id if key in new)
    if stored:
        events.publish(EventsRecorded(stored, now))
    return stored


def _columns(key: uuid.UUID, row: EventInput, now: datetime) -> tuple[Any, ...]:
    received = min(row.received_at or now, now)
    return (
        str(key),
        row.source.pk,
        row.person_id,
        row.anonymous_id,
        row.kind,
        row.name,
        row.url,
        min(row.occurred_at, received),
        received,
        json.dumps(dict(row.properties)),
        row.visitor_id,
        row.user_id,
        row.is_named,
        json.dumps(dict(row.context)),
        row.screened,
    )


def _faults(number: int, row: EventInput) -> list[FieldError]:
    found = {
        "message_id": not 1 <= len(row.message_id) <= 255,
        "kind": row.kind not in EventKind.values,
        "occurred_at": row.occurred_at.tzinfo is None,
        "anonymous_id": len(row.anonymous_id) > 255,
        "name": len(row.name) > 255,
        "url": len(row.url) > 2000,
        "properties": not _storable(row.properties),
        "user_id": len(row.user_id) > 255,
        "context": bool(row.context) and not _storable(row.context),
    }
    texts = {"message_id": row.message_id, "anonymous_id": row.anonymous_id, "name": row.name, "url": row.url}
    found |= {name: True for name, text in texts.items() if "\x00" in text}
    return [
        FieldError(f"{number}.{name}", BadEvent.code, _("This value is missing, too long or not allowed."))
        for name, is_wrong in found.items()
        if is_wrong
    ]


def _storable(properties: Mapping[str, Any]) -> bool:
    """JSON that PostgreSQL takes: no NaN, no null characters, no lone surrogates, not too large."""
    try:
        text = json.dumps(properties, allow_nan=False)
        size = len(json.dumps(properties, ensure_ascii=False).encode("utf-8"))
    except (TypeError, ValueError, RecursionError):
        return False
    return "\\u0000" not in text and size <= _MAX_PROPERTIES
