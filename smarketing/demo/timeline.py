"""A calendar of planned steps, and the working hours that people act in."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from datetime import datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

Step = Callable[[datetime], None]


class Timeline:
    """Steps in order of their time; a step may plan further ones."""

    def __init__(self, *, end: datetime) -> None:
        self.end = end
        self._steps: list[tuple[datetime, int, Step]] = []
        self._order = itertools.count()

    def plan(self, at: datetime, step: Step) -> None:
        """Have ``step`` happen at ``at``; what lies at or after the end never happens."""
        if at < self.end:
            heapq.heappush(self._steps, (at, next(self._order), step))

    def run(self, *, before: Callable[[datetime], None], after: Callable[[datetime], None]) -> int:
        """Take the steps in order, each between ``before`` and ``after``; returns how many there were."""
        taken = 0
        while self._steps:
            at, _order, step = heapq.heappop(self._steps)
            before(at)
            step(at)
            after(at)
            taken += 1
        return taken


class WorkingHours:
    """Monday to Friday, ten to six, in one zone: when reps and marketers act."""

    OPENS, CLOSES = time(10), time(18)

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone

    def after(self, start: datetime, minutes: float) -> datetime:
        """The instant ``minutes`` of working time after ``start``."""
        left = timedelta(minutes=minutes)
        day = start.astimezone(self.zone)
        while True:
            opens = day.replace(hour=self.OPENS.hour, minute=0, second=0, microsecond=0)
            closes = day.replace(hour=self.CLOSES.hour, minute=0, second=0, microsecond=0)
            begin = max(day, opens)
            if day.weekday() < 5 and begin < closes:
                if begin + left <= closes:
                    return begin + left
                left -= closes - begin
            day = opens + timedelta(days=1)

    def some_time_on(self, day: datetime, random: Random) -> datetime:
        """Some instant of the next working day at or after ``day``."""
        return self.after(day, 1 + 470 * random.random())
