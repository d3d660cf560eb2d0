"""What a calendar, as it counts today, makes of clocks that run: for a new version, or for new zone data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sla.domain import clocks as rules
from sla.domain.ladders import levels_after
from sla.domain.recalculation import by_calendar
from sla.models import CalendarVersion, Clock, ClockAction
from sla.selectors import clock_rows

CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Shifted:
    """An open clock whose stored deadline is not what its calendar counts now."""

    clock_id: int
    lead_id: int
    owner: str
    stored: datetime
    counted: datetime


def outcome(clock: Clock, version: CalendarVersion, *, now: datetime) -> rules.Outcome:
    """The clock with what has not fired counted anew from its start by ``version``."""
    calendar = clock_rows.calendar_of(version)
    target = timedelta(seconds=clock.target_seconds)
    levels = levels_after(metric=clock.clause.metric, terms=clock.clause.terms, target=target)
    held = clock_rows.pauses(ClockAction.objects.filter(clock=clock).order_by("pk"))
    return by_calendar(
        clock_rows.state_of(clock),
        now,
        rules.plan(clock.started_at, target=target, calendar=calendar, after=levels),
        calendar,
        [(a, b or now) for a, b in held],
    )


def shifted(*, now: datetime) -> Iterator[Shifted]:
    """Running clocks whose deadline lies ahead and that today's rules of time zones would put elsewhere."""
    last = 0
    while True:
        ahead = Clock.objects.open().filter(pk__gt=last, state="running", due_at__gt=now).order_by("pk")
        found = list(ahead.select_related("calendar_version", "clause", "handoff", "owner")[:CHUNK])
        if not found:
            return
        for clock in found:
            counted = outcome(clock, clock.calendar_version, now=now).clock.due_at
            if clock.due_at is not None and counted is not None and counted != clock.due_at:
                yield Shifted(clock.pk, clock.handoff.lead_id, clock.owner.name, clock.due_at, counted)
        last = found[-1].pk
