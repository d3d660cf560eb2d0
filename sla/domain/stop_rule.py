"""After how many attempts to stop: the number at which one more costs more than it brings (N10).

The value of attempt k is P(reached at k | not reached before) × P(customer | reached) × what a customer
brings × margin − cost of an attempt. Plain arithmetic; counts and money come from elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

# Fewer cases than these say too little of an attempt to propose anything by it.
LEAST_CASES = 20


@dataclass(frozen=True, slots=True)
class Step:
    """Attempt ``number``: ``tried`` leads not reached before got it, ``reached`` of them were reached.

    ``pending`` ones may still answer it and are in neither.
    """

    number: int
    tried: int
    reached: int
    pending: int = 0

    @property
    def share(self) -> float | None:
        """Reached ÷ tried; ``None`` when nobody was tried."""
        return self.reached / self.tried if self.tried else None


class Because(StrEnum):
    """Why there is a proposal, or none."""

    TURNS_NEGATIVE = "turns_negative"
    STILL_PAYS = "still_pays"
    NEVER_PAYS = "never_pays"
    TOO_FEW = "too_few"


@dataclass(frozen=True, slots=True)
class Proposal:
    """Stop after so many attempts; ``None`` where the cases don't allow to say."""

    attempts: int | None
    because: Because


def value(share: float, *, brings: float, cost: float) -> float:
    """What an attempt brings on average; ``brings`` is what a reached lead is worth after margin."""
    return share * brings - cost


def propose(steps: Sequence[Step], *, brings: float, cost: float) -> Proposal:
    """The last attempt that pays before the first that does not, by steps with enough cases.

    Where even the last attempt with enough cases pays, it is proposed as one that still pays: more may
    be right, and nobody has tried.
    """
    paying = 0
    for step in steps:
        if step.share is None or step.tried < LEAST_CASES:
            break
        if value(step.share, brings=brings, cost=cost) < 0:
            return Proposal(paying, Because.TURNS_NEGATIVE if paying else Because.NEVER_PAYS)
        paying = step.number
    return Proposal(paying, Because.STILL_PAYS) if paying else Proposal(None, Because.TOO_FEW)
