"""The journey of a company: a function of the laps of its people and of its deals, nothing stored twice.

Several people of a company stand at different stages at once. The company stands where the furthest of its
open laps stands; a deal that is open makes it an opportunity at least, one that was won a customer for good.
With nobody under way it stands where the last lap or deal has ended. So whatever becomes known late, of
imports and merges too, changes the journey as if it had been known at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from funnel.domain.lifecycle import Ladder, Role


@dataclass(frozen=True, slots=True, order=True)
class Arrival:
    """A lap or a deal of the company came to a stage at ``at``; ``seq`` orders those of one instant."""

    at: datetime
    kind: str  # "lead" or "deal"
    key: int
    seq: int
    stage: str


@dataclass(frozen=True, slots=True)
class AccountStep:
    """The company came from one stage to another, by the lap or deal that ``because`` names."""

    at: datetime
    from_stage: str | None
    to_stage: str
    because: tuple[str, int]


def journey(arrivals: Iterable[Arrival], ladder: Ladder) -> list[AccountStep]:
    """The steps of the company, oldest first; what happens at one instant is one step."""
    steps: list[AccountStep] = []
    standing: dict[tuple[str, int], Arrival] = {}
    for at, together in groupby(sorted(arrivals), key=lambda arrival: arrival.at):
        news = list(together)
        standing |= {(arrival.kind, arrival.key): arrival for arrival in news}
        before = steps[-1].to_stage if steps else None
        decides = _standing(list(standing.values()), ladder)
        if decides.stage != before:
            # Where somebody goes back, who stays ahead decides, but who went is the reason.
            because = decides if decides.at == at else news[-1]
            steps.append(AccountStep(at, before, decides.stage, (because.kind, because.key)))
    return steps


def high_water(steps: Sequence[AccountStep], ladder: Ladder) -> str:
    """The furthest step of the road that the company ever reached; the first stage where it reached none."""
    return ladder.furthest(*(step.to_stage for step in steps)) or steps[0].to_stage


def _standing(arrivals: Sequence[Arrival], ladder: Ladder) -> Arrival:
    """Of laps and deals that stand like this the one which decides where the company stands."""
    roles = {arrival.stage: ladder.by_code[arrival.stage].role for arrival in arrivals}
    won = [a for a in arrivals if roles[a.stage] is Role.WON]
    if won:
        return min(won)
    under_way = [a for a in arrivals if roles[a.stage] in (Role.ANONYMOUS, Role.MAIN)]
    if under_way:
        return max(under_way, key=lambda a: (ladder.by_code[a.stage].rank, a))
    parked = [a for a in arrivals if roles[a.stage] is Role.PARKING]
    return max(parked or arrivals)
