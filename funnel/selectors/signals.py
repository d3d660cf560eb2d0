"""Which signals of a definition an event counts for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from funnel.domain.definitions import Definition
from funnel.domain.interest import Occurrence
from funnel.domain.temperature import points_by
from funnel.selectors import definitions
from leads.models import Event
from smarketing.core.keysets import among
from smarketing.core.prepared import Statement

COLUMNS = ("person_id", "kind", "name", "url", "occurred_at", "properties")
_OF_EVENTS = Statement(
    "events_counting",
    """
SELECT person_id, kind, name, url, occurred_at, properties::text FROM leads_event
 WHERE id = ANY(%(events)s::text[]::uuid[]) AND screened = '' AND person_id IS NOT NULL
""",
    by="events",
)
Row = tuple[int, str, str, str, datetime, dict[str, Any]]


def slots(definition: Definition, row: Row) -> list[int]:
    """The signals that one event counts for."""
    _person, kind, name, url, _at, properties = row
    return definition.signals_for(kind, {**properties, "name": name, "url": url})


def slots_of(definition: Definition, rows: Sequence[Row]) -> list[list[int]]:
    """The signals of each event. The same page again is looked up, unless signals ask for more than it."""
    if _asks_for_properties(definition):
        return [slots(definition, row) for row in rows]
    known: dict[tuple[str, str, str], list[int]] = {}
    found = []
    for row in rows:
        key = row[1:4]
        if key not in known:
            known[key] = slots(definition, row)
        found.append(known[key])
    return found


def of_events(event_ids: Sequence[UUID]) -> list[Row]:
    """The events with these keys that count and whose person is known."""
    rows = _OF_EVENTS.rows(events=[str(key) for key in event_ids])
    return [(person, kind, name, url, at, json.loads(text)) for person, kind, name, url, at, text in rows]


def points_of(rows: Sequence[Event]) -> dict[UUID, float]:
    """The points each of these events of one person is worth by the definition in force, before decay.

    A capped signal counts the first of a UTC day among these rows.
    """
    definition = definitions.rules_of(definitions.in_force())
    found: Any = points_by(
        (
            (
                row.occurred_at,
                row.pk,
                slots(definition, (0, row.kind, row.name, row.url, row.occurred_at, row.properties)),
            )
            for row in rows
        ),
        weights=definition.weights,
        caps=definition.caps,
    )
    return {key: points for key, (points, _count) in found.items()}


def history(definition: Definition, person_ids: Sequence[int]) -> dict[int, list[Occurrence]]:
    """Every counting event of these persons, for a replay."""
    found: dict[int, list[Occurrence]] = {person: [] for person in person_ids}
    counting = Event.objects.counting().filter(person_id__in=among(person_ids))
    events = counting.order_by("person_id", "occurred_at", "id")
    # Their properties are most of what is read, and few definitions ask for them.
    columns = COLUMNS if _asks_for_properties(definition) else COLUMNS[:-1]
    rows = events.values_list(*columns).iterator(chunk_size=5000)
    while part := [(*row, {})[: len(COLUMNS)] for row in islice(rows, 5000)]:
        for row, counted in zip(part, slots_of(definition, part), strict=True):
            if counted:
                found[row[0]].extend(Occurrence(slot, row[4]) for slot in counted)
    return found


def _asks_for_properties(definition: Definition) -> bool:
    """Whether a signal asks for more of an event than its name and page."""
    asked = {condition.path for signal in definition.signals for condition in signal.where}
    return not asked <= {"properties.name", "properties.url"}
