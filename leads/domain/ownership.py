"""Whose a visitor's behaviour is: a step function of the instants at which the visitor was named.

From each such instant on, what the visitor does is that person's, until somebody else is named. What was
done before the first instant was nobody's and joins backwards to the first person. It never joins beyond:
on a shared machine each keeps what was done while they were the one known.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

BEGINNING = datetime.min.replace(tzinfo=UTC)
END = datetime.max.replace(tzinfo=UTC)
Point = tuple[datetime, str, int]  # when, the key of what named them, the person


@dataclass(slots=True)
class Ownership:
    """The points of one visitor, in order; what lies before ``since`` is not looked at."""

    points: list[Point] = field(default_factory=list)
    since: datetime = BEGINNING

    def at(self, instant: datetime) -> int | None:
        """The owner at ``instant``; None while nobody has ever been named."""
        if not self.points:
            return None
        place = bisect_right(self.points, (instant, "\uffff", 0))
        return self.points[max(place - 1, 0)][2]

    def add(self, points: Iterable[Point]) -> bool:
        """Take further points in; say whether anything belongs to somebody else than before."""
        changed = False
        for point in sorted(points):
            changed |= self.at(point[0]) != point[2]
            insort(self.points, point)
        return changed

    def spans(self) -> list[tuple[datetime, datetime, int]]:
        """The periods [from, to) with their owners; the first goes back to ``since``."""
        found: list[tuple[datetime, datetime, int]] = []
        for number, (at, _key, person) in enumerate(self.points):
            if found and found[-1][2] == person:
                continue
            begins = BEGINNING if number == 0 else at
            if found:
                found[-1] = (found[-1][0], begins, found[-1][2])
            found.append((begins, END, person))
        return [(max(begins, self.since), ends, p) for begins, ends, p in found if ends > self.since]
