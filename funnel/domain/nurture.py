"""When somebody who is kept warm comes back: enough new interest, or a day that was agreed.

Interest that was there when it began has decayed on its own; what counts is what was gained since. The
answer follows from the events alone, so neither the order of their arrival nor the times of sweeps matter.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import datetime

from funnel.domain.definitions import Definition
from funnel.domain.interest import Contribution, Decay, Occurrence, contributions


def gained(
    definition: Definition, decay: Decay, events: Sequence[Occurrence], *, since: datetime, at: datetime
) -> float:
    """Points of interest at ``at`` that come from events after ``since``: S(at) − S(since)·2^(−Δ/h)."""
    parts = [part for part in _after(definition, events, since) if part.at <= at]
    return _points(decay, _total(definition, decay, parts), at)


def first_gain(
    definition: Definition,
    decay: Decay,
    events: Sequence[Occurrence],
    *,
    since: datetime,
    points: float,
    now: datetime,
) -> datetime | None:
    """The first instant in (``since``, ``now``] by which ``points`` were gained, or ``None``.

    Between events what was gained only decays, so it is the instant of an event.
    """
    total = 0.0
    for part in _after(definition, events, since):
        if part.at > now:
            break
        total += definition.signals[part.slot].points * decay.mass(part.dated_at)
        if _points(decay, total, part.at) >= points:
            return part.at
    return None


def due_at(*, returns_at: datetime | None, gained_at: datetime | None) -> datetime | None:
    """The earlier of the two rules; ``None`` while neither is known."""
    return min((at for at in (returns_at, gained_at) if at is not None), default=None)


def _after(definition: Definition, events: Sequence[Occurrence], since: datetime) -> Iterator[Contribution]:
    return (part for part in contributions(events, definition.caps) if part.at > since)


def _total(definition: Definition, decay: Decay, parts: Sequence[Contribution]) -> float:
    return math.fsum(definition.signals[part.slot].points * decay.mass(part.dated_at) for part in parts)


def _points(decay: Decay, total: float, at: datetime) -> float:
    return math.copysign(decay.score_of_key(math.log2(abs(total)), at), total) if total else 0.0
