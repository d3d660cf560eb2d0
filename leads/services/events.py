"""Storing behaviour, each event at most once for ever."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any

import orjson
from django.db import transaction
from django.utils.translation import gettext as _

from leads.domain.tracking import event_id
from leads.events import EventsRecorded
from leads.models import EventKind, Source
from smarketing.core import events
from smarketing.core.errors import FieldError, Invalid
from smarketing.core.prepared import Statement

_MAX_PROPERTIES = 32 * 1024  # bytes of JSON, as Segment limits an event
_KINDS = frozenset(EventKind.values)
_text = json.JSONEncoder(allow_nan=False).encode
_ALONE = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_SUBCLASS
_number = attrgetter("int")  # as PostgreSQL orders them, and much faster than comparing the ids themselves
_texts = attrgetter("message_id", "anonymous_id", "name", "url", "user_id")
# All rows are one value: fifteen lists would cost more to write and to read than what they hold.
_INSERT = Statement(
    "events_insert",
    """
WITH given AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%(rows)s::jsonb) AS t (
        id uuid, source_id bigint, person_id bigint, anonymous_id text, kind text, name text, url text,
        occurred_at timestamptz, received_at timestamptz, properties jsonb, visitor_id bigint, user_id text,
        is_named bool, context jsonb, screened text)
), new AS (
    INSERT INTO leads_event
        (id, source_id, person_id, anonymous_id, kind, name, url, occurred_at, received_at, properties,
         visitor_id, user_id, is_named, context, screened)
    SELECT id, source_id, person_id, anonymous_id, kind, name, url, occurred_at, received_at, properties,
           visitor_id, user_id, is_named, context, screened
      FROM given
    ON CONFLICT (id) DO NOTHING
    RETURNING id
)
SELECT id FROM given WHERE id NOT IN (SELECT id FROM new)
""",
)


class BadEvent(Invalid):
    """An event can't be stored; ``errors`` say which and why. Nothing was stored."""

    code = "bad_event"


@dataclass(slots=True)
class EventInput:
    """One behaviour as its source tells it. ``message_id`` is unique within the source.

    Not frozen, like a message: many are made.

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
    texts = [(_storable(row.properties), _storable(row.context)) for row in rows]
    wrong = [error for number, row in enumerate(rows) for error in _faults(number, row, *texts[number])]
    if wrong:
        raise BadEvent(_("Some of the events can't be stored."), errors=wrong)
    by_key: dict[uuid.UUID, tuple[EventInput, str, str]] = {}
    for row, (properties, context) in zip(rows, texts, strict=True):
        key = row.id or id_of(source=row.source, message_id=row.message_id)
        by_key.setdefault(key, (row, properties or "", context or ""))
    if not by_key:
        return ()
    ordered = sorted(by_key, key=_number)
    written = orjson.dumps([_columns(key, *by_key[key], now) for key in ordered])
    known = {key for (key,) in _INSERT.rows(rows=written.decode())}
    stored = tuple(key for key in by_key if key not in known)
    if of_persons := tuple(key for key in stored if by_key[key][0].person_id is not None):
        events.publish(EventsRecorded(of_persons, now))
    return stored


def _columns(key: uuid.UUID, row: EventInput, properties: str, context: str, now: datetime) -> dict[str, Any]:
    received = min(row.received_at or now, now)
    return {
        "id": key,
        "source_id": row.source.pk,
        "person_id": row.person_id,
        "anonymous_id": row.anonymous_id,
        "kind": row.kind,
        "name": row.name,
        "url": row.url,
        "occurred_at": min(row.occurred_at, received),
        "received_at": received,
        "properties": orjson.Fragment(properties),
        "visitor_id": row.visitor_id,
        "user_id": row.user_id,
        "is_named": row.is_named,
        "context": orjson.Fragment(context),
        "screened": row.screened,
    }


def _faults(number: int, row: EventInput, properties: str | None, context: str | None) -> list[FieldError]:
    message_id, anonymous_id, name, url, user_id = _texts(row)
    if (
        properties is not None
        and context is not None
        and 1 <= len(message_id) <= 255
        and len(anonymous_id) <= 255
        and len(name) <= 255
        and len(user_id) <= 255
        and len(url) <= 2000
        and row.kind in _KINDS
        and row.occurred_at.tzinfo is not None
        and "\x00" not in f"{message_id}{anonymous_id}{name}{url}"
    ):
        return []
    return _named_faults(number, row, properties, context)


def _named_faults(
    number: int, row: EventInput, properties: str | None, context: str | None
) -> list[FieldError]:
    lengths = {"anonymous_id": row.anonymous_id, "name": row.name, "user_id": row.user_id}
    found = [name for name, text in lengths.items() if len(text) > 255]
    if not 1 <= len(row.message_id) <= 255:
        found.append("message_id")
    if row.kind not in _KINDS:
        found.append("kind")
    if row.occurred_at.tzinfo is None:
        found.append("occurred_at")
    if len(row.url) > 2000:
        found.append("url")
    texts = {"message_id": row.message_id, "anonymous_id": row.anonymous_id, "name": row.name, "url": row.url}
    found += [name for name, text in texts.items() if "\x00" in text and name not in found]
    found += [name for name, text in (("properties", properties), ("context", context)) if text is None]
    return [
        FieldError(f"{number}.{name}", BadEvent.code, _("This value is missing, too long or not allowed."))
        for name in found
    ]


def _storable(value: Mapping[str, Any]) -> str | None:
    """The value as JSON that PostgreSQL takes; ``None`` where it takes none: NaN, null characters, lone
    surrogates, or too much.
    """
    if not value:
        return "{}"
    try:
        quick = orjson.dumps(dict(value), option=_ALONE)
    except orjson.JSONEncodeError:
        quick = b"null"
    # A number that is none is written as null, too; what is long or doubtful is looked at closely.
    if len(quick) <= _MAX_PROPERTIES and b"null" not in quick and b"\\u0000" not in quick:
        return quick.decode()
    try:
        text = _text(dict(value))
        if len(text) > _MAX_PROPERTIES or "\\ud" in text:
            size = len(json.dumps(value, ensure_ascii=False).encode("utf-8"))
        else:
            size = len(text)
    except (TypeError, ValueError, RecursionError):
        return None
    return text if "\\u0000" not in text and size <= _MAX_PROPERTIES else None
