"""The counting events of many persons as arrays, a row per kind of behaviour, in the server's own format.

A replay looks at every event of a year. As objects they would cost more than all the arithmetic that follows.
"""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from funnel.domain.definitions import Definition
from funnel.domain.replay_arrays import Occurrences
from funnel.selectors.signals import slots

# Microseconds from 1970, from which we count, to 2000, from which PostgreSQL counts.
_FROM_2000 = 946_684_800 * 10**6
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)  # no signal asks when it was
_READ = """
COPY (
    SELECT e.kind, e.name, e.url, CASE WHEN e.kind = ANY(%(asked)s) THEN e.properties::text ELSE '{}' END,
           array_agg(p.place), array_agg(e.occurred_at)
      FROM unnest(%(people)s::bigint[]) WITH ORDINALITY AS p(id, place)
      JOIN leads_event e ON e.person_id = p.id
     WHERE e.screened = ''
     GROUP BY 1, 2, 3, 4
) TO STDOUT (FORMAT binary)
"""
_HEADER = 19  # bytes: signature, flags, length of an extension that nobody uses
_ARRAY_HEADER = 20  # bytes of an array of one dimension
_ELEMENT = np.dtype([("length", ">i4"), ("value", ">i8")])


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Events of one kind, name, address and (where somebody asks) properties: of whom, and when in
    microseconds since 1970. ``people`` are places in the list that was asked for.
    """

    kind: str
    name: str
    url: str
    properties: str
    people: NDArray[np.int64]
    at: NDArray[np.int64]


Slots = dict[tuple[str, str, str, str], list[int]]


def of_people(person_ids: Sequence[int], *, asked: Collection[str]) -> list[Behaviour]:
    """Every counting event of these persons; ``asked`` are the kinds of which properties are needed."""
    buffer = io.BytesIO()
    with connection.cursor() as cursor:
        given = {"people": list(person_ids), "asked": sorted(asked)}
        cursor.copy_expert(cursor.mogrify(_READ, given).decode(), buffer)
    return [_behaviour(row) for row in _rows(buffer.getbuffer())]


def asked_by(definition: Definition) -> set[str]:
    """The kinds of events of which the definition looks at more than name and address."""
    plain = {"properties.name", "properties.url"}
    return {s.event for s in definition.signals if any(c.path not in plain for c in s.where)}


def occurrences(definition: Definition, behaviour: Sequence[Behaviour], *, known: Slots) -> Occurrences:
    """What of this behaviour counts for which signal; ``known`` remembers that from call to call."""
    people, slot, at = [], [], []
    for one in behaviour:
        key = (one.kind, one.name, one.url, one.properties)
        if key not in known:
            row = (0, one.kind, one.name, one.url, _NEVER, json.loads(one.properties))
            known[key] = slots(definition, row)
        for number in known[key]:
            people.append(one.people)
            slot.append(np.full(len(one.people), number, dtype=np.int64))
            at.append(one.at)
    none = [np.zeros(0, dtype=np.int64)]
    return Occurrences(*(np.concatenate(column or none) for column in (people, slot, at)))


def _behaviour(row: list[memoryview]) -> Behaviour:
    kind, name, url, properties = (str(part, "utf-8") for part in row[:4])
    people, at = (_numbers(part) for part in row[4:])
    return Behaviour(kind, name, url, properties, people - 1, at + _FROM_2000)


def _rows(data: memoryview) -> Iterator[list[memoryview]]:
    """The fields of each row of a binary COPY."""
    place = _HEADER
    while True:
        (count,) = struct.unpack_from(">h", data, place)
        place += 2
        if count < 0:
            return
        row = []
        for _field in range(count):
            (length,) = struct.unpack_from(">i", data, place)
            place += 4
            row.append(data[place : place + length])
            place += length
        yield row


def _numbers(array: memoryview) -> NDArray[np.int64]:
    """The elements of an array of 8-byte numbers without NULL."""
    return np.frombuffer(array, dtype=_ELEMENT, offset=_ARRAY_HEADER)["value"].astype(np.int64)
