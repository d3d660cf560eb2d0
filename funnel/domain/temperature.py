"""How warm a person is: their interest now beside that of a week ago."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from funnel.domain.interest import Contribution, Decay, Occurrence, contributions, day_start

WEEK = timedelta(days=7)
# Less than one point of interest is none.
NOTHING = 1.0
# A change of less than a tenth, or of less than a point, is none.
MARGIN = 0.1


class Heat(StrEnum):
    """``HOT`` at the upper threshold, ``WARM`` at the lower one or on the way there, ``COOLING`` below it."""

    HOT = "hot"
    WARM = "warm"
    COOLING = "cooling"
    COLD = "cold"


class Trend(StrEnum):
    """Against a week ago."""

    WARMER = "warmer"
    SAME = "same"
    COOLER = "cooler"


@dataclass(frozen=True, slots=True)
class Temperature:
    """Interest ``now`` and ``before`` (a week ago), in points, and what they amount to."""

    now: float
    before: float
    heat: Heat
    trend: Trend


def of(now: float, before: float, *, hot: float, warm: float) -> Temperature:
    """The temperature of a person whose interest is ``now`` and was ``before`` a week ago."""
    change = now - before
    is_small = abs(change) < max(NOTHING, MARGIN * max(abs(now), abs(before)))
    trend = Trend.SAME if is_small else Trend.WARMER if change > 0 else Trend.COOLER
    if now >= hot:
        heat = Heat.HOT
    elif now >= warm or (now >= NOTHING and trend is Trend.WARMER):
        heat = Heat.WARM
    else:
        heat = Heat.COOLING if now >= NOTHING else Heat.COLD
    return Temperature(now, before, heat, trend)


def recent_score(
    decay: Decay,
    events: Iterable[Occurrence],
    *,
    weights: Sequence[float],
    caps: Sequence[int | None],
    since: datetime,
    at: datetime,
) -> float:
    """What ``at`` is left of the points of events after ``since``.

    ``events`` begin with the UTC day of ``since``, so that daily caps are filled as they were.
    """
    counted: list[Contribution] = [c for c in contributions(events, caps) if c.at > since]
    return math.fsum(weights[c.slot] * math.exp2(-((at - c.dated_at) / decay.half_life)) for c in counted)


def score_before(decay: Decay, now: float, recent: float, span: timedelta = WEEK) -> float:
    """The score ``span`` ago: what is not ``recent``, before it decayed."""
    rest = now - recent
    # What is left after subtracting nearly equal numbers is rounding, not interest.
    return 0.0 if abs(rest) < 1e-6 * max(1.0, abs(now)) else rest * math.exp2(span / decay.half_life)


def points_by(
    rows: Iterable[tuple[datetime, Hashable, Sequence[int]]],
    *,
    weights: Sequence[float],
    caps: Sequence[int | None],
) -> dict[Hashable, tuple[float, int]]:
    """Points and number of events by key: (when, key, slots) of each event, whatever their order.

    A capped signal counts the first of a UTC day, as interest does.
    """
    seen: dict[tuple[int, datetime], int] = defaultdict(int)
    found: dict[Hashable, tuple[float, int]] = {}
    for at, key, slots in sorted(rows, key=lambda row: row[0]):
        points, count = found.get(key, (0.0, 0))
        for slot in slots:
            cap, day = caps[slot], day_start(at)
            if cap is None or seen[slot, day] < cap:
                points += weights[slot]
            seen[slot, day] += 1
        found[key] = (points, count + 1)
    return found
