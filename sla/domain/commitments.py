"""The arithmetic of a period: promised, due so far, delivered, pace, forecast, attainment.

Everything here is one number against another; where they come from is ``sla.selectors.deliveries``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor


@dataclass(frozen=True, slots=True)
class Standing:
    """How a promise stands at an instant.

    ``promised`` is the whole of the period: an amount, or a share from 0 to 1. ``due`` is what should have
    been reached by now (an amount) or how many cases are judged (a count). ``done`` counts towards it:
    ``net``, where a ceiling is agreed without what lies above it. ``pending`` cases are not due yet.
    """

    promised: float
    due: float
    gross: float
    net: float
    done: float
    pending: int = 0
    late: int = 0
    share_passed: float = 1.0
    is_rate: bool = False

    @property
    def value(self) -> float | None:
        """The share that was reached; ``None`` for amounts and while nothing is due."""
        return self.done / self.due if self.is_rate and self.due else None

    @property
    def pace(self) -> float | None:
        """How far ahead of what is due by now, in the unit of the promise; negative is behind."""
        if self.is_rate:
            return None if self.value is None else self.value - self.promised
        return self.done - self.due

    @property
    def forecast(self) -> float | None:
        """What the period ends with at this pace; ``None`` before any of it has passed."""
        if self.is_rate:
            return self.value
        return self.done / self.share_passed if self.share_passed else None

    @property
    def attainment(self) -> float | None:
        """Done ÷ due so far, for a rate reached ÷ promised; ``None`` while nothing is due. May exceed 1."""
        if self.is_rate:
            return None if self.value is None else self.value / self.promised
        return self.done / self.due if self.due else None

    @property
    def is_kept(self) -> bool | None:
        """Whether what is due so far was done; ``None`` while nothing is due."""
        if self.is_rate:
            return None if self.value is None else self.value >= self.promised
        return None if not self.due else self.done >= self.due


def volume(
    *,
    target: float,
    gross: Mapping[int, float],
    net: Mapping[int, float],
    takers: int,
    ceiling: float | None,
    share_passed: float,
    is_whole: bool = False,
) -> Standing:
    """A promise of an amount to each of ``takers``, or to all together when there is one.

    ``gross`` and ``net`` are by taker. Nobody is credited beyond the ceiling, so that too many for one
    don't stand for too few for another. What ``is_whole`` can't be done by halves: of one meeting a week
    none is due before the week is over.
    """
    promised = target * takers
    counted = sum(value if ceiling is None else min(value, ceiling) for value in net.values())
    return Standing(
        promised=promised,
        due=float(floor(promised * share_passed + 1e-9)) if is_whole else promised * share_passed,
        gross=sum(gross.values()),
        net=sum(net.values()),
        done=counted,
        share_passed=share_passed,
    )


def rate(*, target: float, reached: int, judged: int, pending: int = 0, late: int = 0) -> Standing:
    """A promise of a share: ``reached`` of ``judged`` cases; ``pending`` ones are not due yet."""
    return Standing(
        promised=target,
        due=judged,
        gross=judged + pending,
        net=reached,
        done=reached,
        pending=pending,
        late=late,
        is_rate=True,
    )
