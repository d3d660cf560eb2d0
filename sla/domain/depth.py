"""When the promised depth of follow-up was reached: enough attempts, channels and business days.

A conversation, a reply or a meeting that was held satisfies it at once: what the attempts were for has
happened. Automations never count; whoever calls this leaves them out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sla.domain.calendars import WeeklyCalendar
from sla.domain.working_days import working_dates


@dataclass(frozen=True, slots=True)
class Touch:
    """One human contact: an attempt of sales by a channel, or one by which the person was reached."""

    at: datetime
    channel: str
    is_attempt: bool
    is_contact: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the attempts so far go."""

    attempts: int
    channels: int
    days: int
    satisfied_at: datetime | None


def progress(
    touches: Iterable[Touch], *, attempts: int, channels: int, days: int, calendar: WeeklyCalendar
) -> Progress:
    """Count the touches in order of time and say when they were enough, if they were.

    Attempts on days on which the calendar is closed count as attempts, not as business days.
    """
    made: list[datetime] = []
    used: set[str] = set()
    on = 0
    for touch in sorted(touches, key=lambda touch: (touch.at, touch.channel)):
        if touch.is_attempt:
            made.append(touch.at)
            used.add(touch.channel)
            on = len(working_dates(calendar, made))
        enough = len(made) >= attempts and len(used) >= channels and on >= days
        if touch.is_contact or enough:
            return Progress(len(made), len(used), on, touch.at)
    return Progress(len(made), len(used), on, None)
