"""Clock rows as the rules of ``sla.domain`` see them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache

from sla.domain import clocks as rules
from sla.domain.calendars import WeeklyCalendar
from sla.models import CalendarVersion, Clock, ClockAction


def calendar_of(version: CalendarVersion) -> WeeklyCalendar:
    """The rules of a stored calendar version."""
    return WeeklyCalendar.from_json(version.body)


@lru_cache(maxsize=256)
def calendar_from(body: str) -> WeeklyCalendar:
    """The rules that a stored version's text says; the same text says the same for ever."""
    return WeeklyCalendar.from_json(json.loads(body))


def state_of(clock: Clock) -> rules.ClockState:
    """The row as the rules see it."""
    return rules.ClockState(
        status=rules.Status(clock.state),
        started_at=clock.started_at,
        thresholds=tuple(rules.Threshold.from_json(t) for t in clock.thresholds),
        due_at=clock.due_at,
        fired=clock.fired,
        paused_at=clock.paused_at,
        remaining=None if clock.remaining_seconds is None else timedelta(seconds=clock.remaining_seconds),
        ended_at=clock.ended_at,
        resumes_at=clock.resumes_at,
    )


def level_kind(threshold: rules.Threshold) -> str:
    """What a level is called in events and facts: "warning", "breach", or its name ("expire")."""
    return threshold.name if threshold.kind == "after" else threshold.kind


def pauses(actions: Iterable[ClockAction]) -> list[tuple[datetime, datetime | None]]:
    """The pauses in a clock's ledger (in order of entry), the last open-ended while it is paused."""
    found: list[tuple[datetime, datetime | None]] = []
    for action in actions:
        if action.verb == "pause":
            found.append((action.at, None))
        elif found and action.verb == "reopen" and action.after["state"] == rules.Status.PAUSED:
            found[-1] = (found[-1][0], None)
        elif found and found[-1][1] is None and action.verb in ("resume", "stop", "cancel"):
            found[-1] = (found[-1][0], max(action.at, found[-1][0]))
    return found
