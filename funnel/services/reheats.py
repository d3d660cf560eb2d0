"""Who comes back after their interest had cooled: kept with the interest, found by the instant of return.

An event asks only for persons who crossed the lowest band just now; the answer is then replayed from
all their events, so that it does not depend on the order in which they arrived.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import connection

from funnel.domain.interest import LATEST, Occurrence, crossings, reheated_at
from funnel.selectors import signals
from funnel.services.frames import Frame

_WRITE = """
UPDATE funnel_interest i SET reheated_at = n.at
  FROM unnest(%(people)s::bigint[], %(ats)s::timestamptz[]) AS n(person, at)
 WHERE i.person_id = n.person AND i.reheated_at IS DISTINCT FROM n.at
"""


def note(
    *, frame: Frame, before: Mapping[int, float | None], after: Mapping[int, float | None], now: datetime
) -> int:
    """Persons whose keys changed: those that are over the lowest band now and were not; how many."""
    over = crossed(frame=frame, before=before, after=after, now=now)
    if over:
        keep(frame=frame, history=signals.history(frame.rules, over))
    return len(over)


def crossed(
    *, frame: Frame, before: Mapping[int, float | None], after: Mapping[int, float | None], now: datetime
) -> list[int]:
    """Persons whose key is over the lowest band at ``now`` and was not."""
    enter = _lowest(frame)
    if enter is None:
        return []
    bar = frame.decay.key_at(enter, now)
    return [
        person
        for person, key in after.items()
        if key is not None and key >= bar and ((held := before.get(person)) is None or held < bar)
    ]


def keep(*, frame: Frame, history: Mapping[int, Sequence[Occurrence]]) -> None:
    """Write when each of these persons came back, from all their events; the caller holds their interest."""
    found = instants(frame=frame, history=history)
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, {"people": list(found), "ats": list(found.values())})


def instants(*, frame: Frame, history: Mapping[int, Sequence[Occurrence]]) -> dict[int, datetime | None]:
    """When each of these persons came back last, from all their events."""
    enter = _lowest(frame)
    leave = None if enter is None else enter * (1 - frame.rules.hysteresis)
    return {person: _returned(frame, history[person], enter, leave) for person in sorted(history)}


def _lowest(frame: Frame) -> float | None:
    """The points at which interest enters its lowest band; ``None`` where no band asks for any."""
    return min((points for points in frame.rules.interest_bands.values() if points > 0), default=None)


def _returned(
    frame: Frame, events: Sequence[Occurrence], enter: float | None, leave: float | None
) -> datetime | None:
    if enter is None or leave is None:
        return None
    rules = frame.rules
    crossed = crossings(frame.decay, events, weights=rules.weights, caps=rules.caps, enter=enter, leave=leave)
    return reheated_at(crossed, LATEST)
