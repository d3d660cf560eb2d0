"""What another calendar version makes of a clock that runs: its deadlines are counted anew from the start."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sla.domain import clocks
from sla.domain.calendars import WeeklyCalendar
from sla.domain.clocks import OPEN, ClockRefused, ClockState, Outcome, Status, Threshold

ZERO = timedelta(0)


def by_calendar(
    clock: ClockState,
    at: datetime,
    fresh: Sequence[Threshold],
    calendar: WeeklyCalendar,
    pauses: Iterable[tuple[datetime, datetime]],
) -> Outcome:
    """Let another calendar decide from now on: levels that have not fired are counted by it from the start.

    ``fresh`` is the plan of the whole clock by ``calendar``; its pauses count by ``calendar`` too. A level
    whose open time has passed already by the new hours falls on ``at``, never before it. A paused clock
    keeps waiting with what it then has left.
    """
    if clock.ended_at is not None or clock.status not in OPEN:
        raise ClockRefused("not_counting", "Only an open clock can be recalculated.")
    books = clocks.close_the_books(clock, at)
    since = books.clock.paused_at or at
    used = calendar.between(clock.started_at, since) - sum(
        (calendar.between(a, min(b, since)) for a, b in pauses if a < since), ZERO
    )
    moved = []
    for threshold in fresh:
        left = calendar.between(clock.started_at, threshold.at) - used
        moved.append(replace(threshold, at=calendar.add(since, left) if left > ZERO else since))
    if books.clock.status is not Status.PAUSED:
        outcome = clocks.recalculate(books.clock, at, moved)
        return Outcome(outcome.clock, books.fired + outcome.fired)
    thresholds = clocks.renumbered(books.clock, moved)
    remaining = calendar.between(since, clocks.breach_of(thresholds).at)
    return Outcome(replace(books.clock, thresholds=thresholds, remaining=remaining), books.fired)
