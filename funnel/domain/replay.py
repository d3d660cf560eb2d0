"""What a definition would have done to the leads of a period (N2), from values as they were then.

A lead qualifies at the first instant whose cell says "hand off", found by the same rule as in real life
(``funnel.domain.qualification``), from its capture on. Outcomes are counted only where they are known: a lead
that nobody delivered has no answer of sales, and an open one has no end; neither is ever taken as a no.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from funnel.domain.definitions import Definition
from funnel.domain.fit import Facts
from funnel.domain.interest import Decay, Occurrence
from funnel.domain.qualification import FitUntil, could_hand_off, first_hand_off
from funnel.domain.statistics import wilson

# Both thresholds of interest times these: how volume trades against precision.
SCALES = (0.5, 0.7, 0.85, 1.0, 1.15, 1.3, 1.6, 2.0)
NAMED = 25


@dataclass(frozen=True, slots=True)
class FactsUntil:
    """What was known of a lead until an instant; ``None``: until now."""

    facts: Facts
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Past:
    """A lead with what really became of it. ``won`` and ``accepted`` are ``None`` where that is not known."""

    lead_id: int
    captured_at: datetime
    delivered_at: datetime | None
    accepted: bool | None
    returned: bool | None
    won: bool | None


@dataclass(frozen=True, slots=True)
class Rate:
    """k of n with its Wilson interval (semantics.md 4.8)."""

    k: int
    n: int

    def as_json(self) -> dict[str, Any]:
        """With the share in percent and the 95 % interval; both null without cases."""
        low, high = wilson(self.k, self.n) if self.n else (0.0, 1.0)
        percent = round(100 * self.k / self.n, 2) if self.n else None
        interval = [round(100 * low, 2), round(100 * high, 2)] if self.n else None
        return {"k": self.k, "n": self.n, "percent": percent, "interval_95": interval}


def qualified_at(
    definition: Definition,
    decay: Decay,
    past: Past,
    known: Sequence[FactsUntil],
    events: Sequence[Occurrence],
    *,
    before: datetime,
) -> datetime | None:
    """When the lead would first have been handed off, looking no further than ``before``; or ``None``.

    An exclusion that held at that instant keeps it back, as the gate would.
    """
    fits = fits_of(definition, known)
    masses = [0.0] * len(definition.signals)
    for event in events:
        if event.at <= before:
            masses[event.slot] += decay.mass(event.at)
    bands = {part.band for part in fits}
    if not could_hand_off(definition, decay, masses, bands, since=past.captured_at):
        return None
    instant = first_hand_off(definition, decay, events, fits, start=past.captured_at, now=before)
    if instant is None or instant >= before:
        return None
    return instant if is_free(definition, known, instant) else None


def fits_of(definition: Definition, known: Sequence[FactsUntil]) -> list[FitUntil]:
    """The fit over time, from what was known over time."""
    return [FitUntil(definition.fit_band(definition.fit_score(part.facts)), part.until) for part in known]


def is_free(definition: Definition, known: Sequence[FactsUntil], instant: datetime) -> bool:
    """Whether no exclusion held at that instant."""
    if not definition.exclusions:
        return True
    then = next(part.facts for part in known if part.until is None or instant < part.until)
    return definition.excluded_by(then) is None


def scaled(definition: Definition, by: float) -> Definition:
    """The same definition with both thresholds of interest multiplied."""
    bands = {name: threshold * by for name, threshold in definition.interest_bands.items()}
    return replace(definition, interest_bands=bands)


class Tally:
    """Gathers what one definition would have done; ``add`` each lead, then ``result``."""

    def __init__(self, *, start: datetime, end: datetime, day_of: Callable[[datetime], date]) -> None:
        """The period is [start, end); ``day_of`` gives the day of an instant in the viewer's zone."""
        self.start, self.end, self._day_of = start, end, day_of
        self.weeks: Counter[date] = Counter()
        self.qualified: list[tuple[int, datetime]] = []
        self.counts: Counter[str] = Counter()
        self.missed: list[int] = []
        self.gains: list[tuple[datetime, int]] = []
        self.losses: list[tuple[datetime, int]] = []
        self.curve = {scale: Counter[str]() for scale in SCALES}

    def add(self, past: Past, instant: datetime | None, scales: Mapping[float, datetime | None]) -> None:
        """One lead: when it would have qualified, as written and with other thresholds."""
        inside = self._inside(instant)
        delivered = self._inside(past.delivered_at)
        if inside and instant is not None:
            day = self._day_of(instant)
            self.weeks[day - timedelta(days=day.weekday())] += 1
            self.qualified.append((past.lead_id, instant))
            self._outcome(self.counts, past)
        self.counts["delivered"] += delivered
        self.counts["both"] += inside and delivered
        if inside and not delivered and instant is not None:
            self.gains.append((instant, past.lead_id))
        if delivered and not inside and past.delivered_at is not None:
            self.losses.append((past.delivered_at, past.lead_id))
        if past.won and instant is None:
            self.missed.append(past.lead_id)
        for scale, moment in scales.items():
            if self._inside(moment):
                self._outcome(self.curve[scale], past)

    def result(self, *, reps: int, capacity: int | None) -> dict[str, Any]:
        """Everything as JSON. ``capacity`` is how many leads the reps can hold at once, if that is capped."""
        counts, n = self.counts, len(self.qualified)
        weeks = list(_weeks(self._day_of(self.start), self._day_of(self.end - timedelta(microseconds=1))))
        per_week = n / len(weeks) if weeks else 0.0
        return {
            "qualified": n,
            "weeks": [[week.isoformat(), self.weeks[week]] for week in weeks],
            "delivered": counts["delivered"],
            "both": counts["both"],
            "accepted": Rate(counts["accepted"], counts["answered"]).as_json(),
            "returned": Rate(counts["returned"], counts["answered"]).as_json(),
            "won": Rate(counts["won"], counts["ended"]).as_json(),
            "not_answered": n - counts["answered"],
            "not_ended": n - counts["ended"],
            "missed": _first(self.missed),
            "gains": _first([pk for _at, pk in sorted(self.gains, reverse=True)]),
            "losses": _first([pk for _at, pk in sorted(self.losses, reverse=True)]),
            "load": {
                "reps": reps,
                "per_rep_per_week": round(per_week / reps, 2) if reps else None,
                "capacity": capacity,
            },
            "curve": [
                {
                    "scale": scale,
                    "qualified": curve["all"],
                    "won": Rate(curve["won"], curve["ended"]).as_json(),
                }
                for scale, curve in self.curve.items()
            ],
        }

    def _inside(self, instant: datetime | None) -> bool:
        return instant is not None and self.start <= instant < self.end

    @staticmethod
    def _outcome(counts: Counter[str], past: Past) -> None:
        counts["all"] += 1
        if past.accepted is not None:
            counts["answered"] += 1
            counts["accepted"] += past.accepted
            counts["returned"] += bool(past.returned)
        if past.won is not None:
            counts["ended"] += 1
            counts["won"] += past.won


def _first(lead_ids: Iterable[int]) -> dict[str, Any]:
    """How many there are, and the first of them by name."""
    found = list(lead_ids)
    return {"n": len(found), "leads": found[:NAMED]}


def _weeks(first: date, last: date) -> Iterator[date]:
    week = first - timedelta(days=first.weekday())
    while week <= last:
        yield week
        week += timedelta(days=7)
