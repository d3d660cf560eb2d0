"""Business days of a calendar: how long one is, which dates have one, how much of a period has passed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sla.domain.calendars import WeeklyCalendar

ZERO = timedelta(0)


def business_day(calendar: WeeklyCalendar) -> timedelta:
    """The open time of an ordinary day: the week's opening hours by the number of days that have any.

    Monday to Friday 10:00-18:00 makes eight hours, so "two business days" are sixteen open hours.
    """
    days = [sum(w.closes - w.opens for w in day) for day in calendar.week if day]
    return timedelta(minutes=sum(days) / len(days))


def share_passed(calendar: WeeklyCalendar, start: datetime, end: datetime, now: datetime) -> float:
    """How much of the open time from ``start`` to ``end`` has passed at ``now``, from 0 to 1.

    A period without any open time has passed once it is over.
    """
    whole = calendar.between(start, end)
    if whole <= ZERO:
        return 1.0 if now >= end else 0.0
    return max(0.0, min(1.0, calendar.between(start, min(now, end)) / whole)) if now > start else 0.0


def working_dates(calendar: WeeklyCalendar, instants: Iterable[datetime]) -> set[date]:
    """The local dates of these instants on which the calendar opens at all."""
    zone = ZoneInfo(calendar.zone)
    dates = {at.astimezone(zone).date() for at in instants}
    return {day for day in dates if _opens(calendar, day, zone)}


def _opens(calendar: WeeklyCalendar, day: date, zone: ZoneInfo) -> bool:
    start = datetime.combine(day, datetime.min.time(), tzinfo=zone)
    end = datetime.combine(day + timedelta(days=1), datetime.min.time(), tzinfo=zone)
    return calendar.between(start, end) > ZERO
