"""Half-open ranges of time: ``start <= t < end``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from smarketing.core.errors import Invalid


@dataclass(frozen=True, slots=True)
class Period:
    """A half-open range of instants; an end that is ``None`` is open."""

    start: datetime | None
    end: datetime | None

    def __post_init__(self) -> None:
        for edge in (self.start, self.end):
            if edge is not None and edge.tzinfo is None:
                raise ValueError("a period needs aware instants")
        if self.start is not None and self.end is not None and self.end < self.start:
            raise Invalid("The period ends before it starts.")

    def __contains__(self, instant: datetime) -> bool:
        return (self.start is None or self.start <= instant) and (self.end is None or instant < self.end)


def of_dates(first: date | None, last: date | None, *, zone: ZoneInfo) -> Period:
    """The period from the first day to the last one, both included, as days of ``zone``."""
    return Period(
        start=_midnight(first, zone) if first else None,
        end=_midnight(last + timedelta(days=1), zone) if last else None,
    )


def month_of(day: date, *, zone: ZoneInfo) -> Period:
    """The calendar month that holds ``day``."""
    first = day.replace(day=1)
    following = (first + timedelta(days=32)).replace(day=1)
    return Period(start=_midnight(first, zone), end=_midnight(following, zone))


def week_of(day: date, *, zone: ZoneInfo) -> Period:
    """The week from Monday to Sunday that holds ``day``."""
    monday = day - timedelta(days=day.weekday())
    return Period(start=_midnight(monday, zone), end=_midnight(monday + timedelta(days=7), zone))


def quarter_of(day: date, *, zone: ZoneInfo) -> Period:
    """The calendar quarter that holds ``day``."""
    first = day.replace(month=3 * ((day.month - 1) // 3) + 1, day=1)
    following = (first + timedelta(days=95)).replace(day=1)
    return Period(start=_midnight(first, zone), end=_midnight(following, zone))


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, tzinfo=zone)
