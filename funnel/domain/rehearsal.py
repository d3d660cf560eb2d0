"""A month of leads given away once more, through a pool as it might be; nobody gets any of them.

What is known of each lead stays as it was: its instant, its band, who could not take it for its own sake,
who works with its company. Weights, capacities, members and absences are those of the rehearsal. The
limit on open leads is left out: how long a lead would have stayed in whose hands is not known.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from funnel.domain import rings
from funnel.domain.capacity import Bucket
from funnel.domain.definitions import CELLS

# How often a lead that waits is tried again.
EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Seat:
    """A member as rehearsed. ``away`` are half-open stretches; an end of None is open."""

    key: Any
    weight: int = 1
    capacity: int | None = None
    away: tuple[tuple[datetime, datetime | None], ...] = ()

    def is_away(self, at: datetime) -> bool:
        """Whether they are away at an instant."""
        return any(start <= at and (end is None or at < end) for start, end in self.away)


@dataclass(frozen=True, slots=True)
class PastLead:
    """A lead that was given away. ``unfit`` could not take it for its sake, whatever the pool is like."""

    at: datetime
    band: str
    owner: Any
    unfit: frozenset[Any] = frozenset()
    preferred: Any = None
    value: float = 0.0


@dataclass(slots=True)
class Part:
    """What one member was given, or would have been."""

    bands: dict[str, int] = field(default_factory=dict)
    value: float = 0.0

    @property
    def count(self) -> int:
        """All leads."""
        return sum(self.bands.values())

    @property
    def by_band(self) -> list[tuple[str, int]]:
        """Leads of each band, the best band first."""
        return sorted(self.bands.items())

    def add(self, lead: PastLead) -> None:
        """One more lead."""
        self.bands[lead.band] = self.bands.get(lead.band, 0) + 1
        self.value += lead.value


@dataclass(slots=True)
class Outcome:
    """Who would have got what, what waited at some time, and what still waits at the end."""

    parts: dict[Any, Part]
    waited: int = 0
    left: int = 0


class Answer(Enum):
    """Whether a lead was given; if not, whether nobody could take any or only not this one."""

    GIVEN = "given"
    NOT_THIS = "not this"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Rules:
    """What the pool says of turns missed while away, and where the order of its rings starts."""

    return_policy: str = "reset"
    owed_at_most: int = 3
    rotation: int = 0


def rehearse(seats: Sequence[Seat], leads: Sequence[PastLead], *, rules: Rules, until: datetime) -> Outcome:
    """Give ``leads`` (in the order of their instants) away again; the rings start afresh."""
    stage = _Stage(seats, rules)
    outcome = Outcome({seat.key: Part() for seat in seats})
    waiting: deque[PastLead] = deque()
    tried_at = until
    for lead in leads:
        if waiting:
            tried_at = _try_waiting(stage, outcome, waiting, tried_at, lead.at)
        if stage.give(lead, lead.at, outcome) is not Answer.GIVEN:
            outcome.waited += 1
            tried_at = tried_at if waiting else lead.at
            waiting.append(lead)
    if waiting:
        _try_waiting(stage, outcome, waiting, tried_at, until)
    outcome.left = len(waiting)
    return outcome


def as_it_was(leads: Sequence[PastLead], keys: Collection[Any]) -> dict[Any, Part]:
    """What each was really given."""
    parts = {key: Part() for key in keys}
    for lead in leads:
        parts.setdefault(lead.owner, Part()).add(lead)
    return parts


def _try_waiting(
    stage: _Stage, outcome: Outcome, waiting: deque[PastLead], since: datetime, until: datetime
) -> datetime:
    """Try what waits every hour, the oldest first, up to before ``until``; when was the last time.

    Nobody at work ends a round at once; a lead that nobody may take for its own sake holds up no other.
    """
    at = since
    while waiting and at + EVERY < until:
        at += EVERY
        passed: deque[PastLead] = deque()
        while waiting:
            answer = stage.give(waiting[0], at, outcome)
            if answer is Answer.FULL:
                break
            lead = waiting.popleft()
            if answer is Answer.NOT_THIS:
                passed.append(lead)
        waiting.extendleft(reversed(passed))
    return at


class _Stage:
    """The rings and buckets as they stand in the rehearsal."""

    def __init__(self, seats: Sequence[Seat], rules: Rules) -> None:
        self.seats = seats
        self.rules = rules
        self.buckets = {seat.key: Bucket(seat.capacity) for seat in seats}
        self.pointers: dict[str, dict[Any, int]] = {}

    def give(self, lead: PastLead, at: datetime, outcome: Outcome) -> Answer:
        """Give the lead away at an instant, if somebody can take it."""
        pointers = self.pointers.setdefault(lead.band, dict.fromkeys(self.buckets, 0))
        self.buckets = {key: bucket.at(at) for key, bucket in self.buckets.items()}
        members = [
            rings.Member(
                seat.key,
                order,
                seat.weight,
                pointers[seat.key],
                rings.Facts(
                    absent=seat.is_away(at),
                    out_of_capacity=self.buckets[seat.key].is_empty,
                    conflicted=seat.key in lead.unfit,
                ),
            )
            for order, seat in enumerate(self.seats)
        ]
        rotation = self.rules.rotation + (CELLS.index(lead.band) if lead.band in CELLS else 0)
        choice = rings.choose(members, rotation=rotation, preferred=lead.preferred)
        chosen = choice.member.key if choice.member else None
        pointers.update(
            rings.caught_up(
                members, self.rules.return_policy, owed_at_most=self.rules.owed_at_most, chosen=chosen
            )
        )
        if choice.member is None:
            return Answer.FULL if choice.is_full else Answer.NOT_THIS
        pointers[chosen] = choice.member.next_pointer
        self.buckets[chosen] = self.buckets[chosen].spend()
        outcome.parts[chosen].add(lead)
        return Answer.GIVEN
