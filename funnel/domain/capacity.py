"""Capacity as a token bucket: so many leads in 30 days, with fractions kept exactly.

A bucket fills evenly and holds at most a week's worth, so that a quiet week can be made up for but no
month is given away on one morning. One lead costs LEAD units, and a capacity of n adds n units each
microsecond, so that everything is a whole number and nobody's share is rounded away.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

PERIOD = timedelta(days=30)
BURST = timedelta(days=7)
MICROSECOND = timedelta(microseconds=1)
LEAD = PERIOD // MICROSECOND
MAX_CAPACITY = 10_000


@dataclass(frozen=True, slots=True)
class Bucket:
    """What an owner may still be given; without a ``capacity`` no limit. A new one holds one lead."""

    capacity: int | None
    tokens: int = 0
    filled_at: datetime | None = None

    def at(self, now: datetime) -> Bucket:
        """The bucket as it is at ``now``, filled up."""
        if self.capacity is None:
            return self
        if self.filled_at is None:
            return Bucket(self.capacity, LEAD, now)
        passed = max(now - self.filled_at, timedelta(0)) // MICROSECOND
        full = max(LEAD, self.capacity * (BURST // MICROSECOND))
        return Bucket(
            self.capacity, min(full, self.tokens + self.capacity * passed), max(now, self.filled_at)
        )

    @property
    def is_empty(self) -> bool:
        """Whether no whole lead is left."""
        return self.capacity is not None and self.tokens < LEAD

    def spend(self) -> Bucket:
        """The bucket after one more lead; one that was given out of turn may leave it in debt."""
        return self if self.capacity is None else Bucket(self.capacity, self.tokens - LEAD, self.filled_at)

    def refund(self) -> Bucket:
        """The bucket after a lead was given back."""
        return self if self.capacity is None else Bucket(self.capacity, self.tokens + LEAD, self.filled_at)

    @property
    def leads(self) -> float | None:
        """How many leads are left, with fractions; None without a limit."""
        return None if self.capacity is None else self.tokens / LEAD
