"""Business time: weekly opening hours in a time zone, and arithmetic on them.

An instant is open when the wall clock of the calendar's zone shows a time inside one of that day's
windows. The arithmetic walks stretches of constant UTC offset inside one local day, so a day of 23 or
25 hours, a gap at midnight and an hour that happens twice need no special case. Cost is one step per
day. Everything returned is an aware UTC datetime.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES_PER_DAY = 24 * 60
LONGEST_CLOSURE = timedelta(days=400)
ZERO = timedelta(0)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)

SegmentKind = Literal["counting", "off_hours", "holiday", "paused"]


class CalendarError(ValueError):
    """The calendar cannot be used as it is; ``path`` points at the part ("week.mon.0") if there is one."""

    def __init__(self, detail: str, *, path: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.path = path


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A stretch of one local day in minutes after midnight, half-open; ``closes`` may be 1440 (24:00)."""

    opens: int
    closes: int

    def __post_init__(self) -> None:
        if not 0 <= self.opens < self.closes <= MINUTES_PER_DAY:
            raise CalendarError("A window must open before it closes, between 00:00 and 24:00.")


WHOLE_DAY = Window(0, MINUTES_PER_DAY)


@dataclass(frozen=True, slots=True)
class Holiday:
    """A day on which the part ``closed`` (by default all of it) does not count."""

    day: date
    name: str = ""
    closed: Window = WHOLE_DAY


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a clock's strip: half-open ``start``–``end`` in UTC and why it counts or does not."""

    start: datetime
    end: datetime
    kind: SegmentKind


@dataclass(frozen=True)
class WeeklyCalendar:
    """Opening hours: ``week`` holds the windows of Monday to Sunday, ``holidays`` close parts of days.

    Raises CalendarError for an unknown zone, overlapping windows or a week without any window.
    """

    zone: str
    week: tuple[tuple[Window, ...], ...]
    holidays: tuple[Holiday, ...] = field(default=())

    def __post_init__(self) -> None:
        if len(self.week) != 7:
            raise CalendarError("A week needs seven days.", path="week")
        week = tuple(tuple(sorted(day)) for day in self.week)
        for name, day in zip(WEEKDAYS, week, strict=True):
            for i, (earlier, later) in enumerate(zip(day, day[1:], strict=False)):
                if later.opens < earlier.closes:
                    raise CalendarError("Two windows of one day overlap.", path=f"week.{name}.{i + 1}")
        if not any(week):
            raise CalendarError("The week has no open window. Add at least one.", path="week")
        object.__setattr__(self, "week", week)
        object.__setattr__(
            self, "holidays", tuple(sorted(self.holidays, key=lambda h: (h.day, h.closed, h.name)))
        )
        try:
            self._zone  # noqa: B018  resolved now, so that a wrong name fails where it was entered
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise CalendarError(f"Unknown time zone “{self.zone}”.", path="zone") from error

    # --- making and writing -------------------------------------------------------------------

    @classmethod
    def office(cls, zone: str, *, opens: int = 600, closes: int = 1080) -> WeeklyCalendar:
        """Monday to Friday, by default 10:00–18:00."""
        day = (Window(opens, closes),)
        return cls(zone=zone, week=(day,) * 5 + ((),) * 2)

    @classmethod
    def always(cls, zone: str = "UTC") -> WeeklyCalendar:
        """Every hour counts."""
        return cls(zone=zone, week=((WHOLE_DAY,),) * 7)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> WeeklyCalendar:
        """Read the form written by ``to_json``; raises CalendarError with the path of what is wrong."""
        if not isinstance(data, Mapping):
            raise CalendarError("A calendar must be an object.")
        zone, week, holidays = data.get("zone"), data.get("week"), data.get("holidays", [])
        if not isinstance(zone, str) or not zone:
            raise CalendarError("Name a time zone, for example “Europe/Berlin”.", path="zone")
        if not isinstance(week, Mapping) or set(week) - set(WEEKDAYS):
            raise CalendarError("The week must be an object with the keys mon to sun.", path="week")
        if not isinstance(holidays, list):
            raise CalendarError("Holidays must be a list.", path="holidays")
        days = tuple(_windows_from_json(week.get(name, []), path=f"week.{name}") for name in WEEKDAYS)
        return cls(
            zone=zone,
            week=days,
            holidays=tuple(_holiday_from_json(item, f"holidays.{i}") for i, item in enumerate(holidays)),
        )

    def to_json(self) -> dict[str, Any]:
        """The canonical form: equal calendars give equal JSON (keys in fixed order, lists sorted)."""
        holidays: list[dict[str, str]] = []
        for holiday in self.holidays:
            entry = {"date": holiday.day.isoformat(), "name": holiday.name}
            if holiday.closed != WHOLE_DAY:
                entry["from"] = format_minutes(holiday.closed.opens)
                entry["to"] = format_minutes(holiday.closed.closes)
            holidays.append(entry)
        week = {
            name: [[format_minutes(w.opens), format_minutes(w.closes)] for w in day]
            for name, day in zip(WEEKDAYS, self.week, strict=True)
        }
        return {"zone": self.zone, "week": week, "holidays": holidays}

    # --- questions ----------------------------------------------------------------------------

    def is_open(self, at: datetime) -> bool:
        """Does ``at`` count? Half-open: the opening instant does, the closing instant does not."""
        local = _utc(at).astimezone(self._zone)
        since_midnight = timedelta(
            hours=local.hour, minutes=local.minute, seconds=local.second, microseconds=local.microsecond
        )
        return any(opens <= since_midnight < closes for opens, closes in self._open_parts(local.date()))

    def next_opening(self, at: datetime) -> datetime:
        """``at`` itself when open, else the next instant that is; CalendarError if none in 400 days."""
        return next(self._open_stretches(_utc(at)))[0]

    def add(self, start: datetime, duration: timedelta) -> datetime:
        """The instant at which ``duration`` of open time after ``start`` has passed.

        A start outside a window moves to the next opening (so does a zero duration); a deadline that
        falls exactly on a closing stays on it. Raises CalendarError when nothing opens for 400 days.
        """
        if duration < ZERO:
            raise ValueError("A duration cannot be negative.")
        remaining = duration
        for opens, closes in self._open_stretches(_utc(start)):
            if closes - opens >= remaining:
                return opens + remaining
            remaining -= closes - opens
        raise AssertionError("open stretches never end without an error")

    def between(self, a: datetime, b: datetime) -> timedelta:
        """Open time from ``a`` to ``b``; negative when ``b`` is earlier. Never raises for closed spans."""
        a, b = _utc(a), _utc(b)
        if b < a:
            return -self.between(b, a)
        total = ZERO
        for start, end, parts in self._chunks(a, b):
            for opens, closes in parts:
                if opens < end and closes > start:
                    total += min(closes, end) - max(opens, start)
        return total

    def segments(
        self, start: datetime, end: datetime, pauses: Iterable[tuple[datetime, datetime]] = ()
    ) -> list[Segment]:
        """Cut ``start``–``end`` into pieces for a clock's strip; a pause wins over everything else."""
        start, end = _utc(start), _utc(end)
        base: list[Segment] = []
        for lo, hi, offset in self._constant_offset_days(start, end):
            midnight = _local_midnight(lo, offset)
            holidays = [
                (
                    _clamp(midnight + timedelta(minutes=h.closed.opens), lo, hi),
                    _clamp(midnight + timedelta(minutes=h.closed.closes), lo, hi),
                )
                for h in self._holidays_by_day.get((lo + offset).date(), ())
            ]
            opened = [
                (_clamp(midnight + opens, lo, hi), _clamp(midnight + closes, lo, hi))
                for opens, closes in self._open_parts((lo + offset).date())
            ]
            base.extend(_cut(lo, hi, (("counting", opened), ("holiday", holidays)), "off_hours"))
        spans = [(_clamp(_utc(a), start, end), _clamp(_utc(b), start, end)) for a, b in pauses]
        result: list[Segment] = []
        for piece in base:
            result.extend(_cut(piece.start, piece.end, (("paused", spans),), piece.kind))
        return _joined(result)

    # --- walking ------------------------------------------------------------------------------

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    @cached_property
    def _holidays_by_day(self) -> dict[date, list[Holiday]]:
        by_day: dict[date, list[Holiday]] = {}
        for holiday in self.holidays:
            by_day.setdefault(holiday.day, []).append(holiday)
        return by_day

    @cached_property
    def _parts_by_weekday(self) -> tuple[tuple[tuple[timedelta, timedelta], ...], ...]:
        return tuple(
            tuple((timedelta(minutes=w.opens), timedelta(minutes=w.closes)) for w in day) for day in self.week
        )

    def _open_parts(self, day: date) -> Sequence[tuple[timedelta, timedelta]]:
        """The open parts of a local day as offsets from its midnight, holidays taken out."""
        holidays = self._holidays_by_day.get(day)
        if holidays is None:
            return self._parts_by_weekday[day.weekday()]
        minutes = [(w.opens, w.closes) for w in self.week[day.weekday()]]
        for holiday in holidays:
            shut = holiday.closed
            minutes = [
                piece
                for opens, closes in minutes
                for piece in ((opens, min(closes, shut.opens)), (max(opens, shut.closes), closes))
                if piece[0] < piece[1]
            ]
        return [(timedelta(minutes=a), timedelta(minutes=b)) for a, b in minutes]

    def _offset(self, at: datetime) -> timedelta:
        return at.astimezone(self._zone).utcoffset() or ZERO

    def _constant_offset_days(
        self, start: datetime, end: datetime | None = None
    ) -> Iterator[tuple[datetime, datetime, timedelta]]:
        """Cut time from ``start`` into pieces that lie in one local day and have one UTC offset."""
        lo = start
        while end is None or lo < end:
            offset = self._offset(lo)
            hi = _local_midnight(lo, offset) + DAY
            if self._offset(hi - SECOND) != offset:
                hi = self._transition(lo, hi - SECOND, offset)
            yield lo, hi if end is None else min(hi, end), offset
            lo = hi

    def _transition(self, lo: datetime, hi: datetime, before: timedelta) -> datetime:
        """The first whole second after ``lo`` with another offset than ``before``."""
        base = lo.replace(microsecond=0)
        low, high = 0, int((hi - base).total_seconds()) + 1
        while high - low > 1:
            middle = (low + high) // 2
            if self._offset(base + middle * SECOND) == before:
                low = middle
            else:
                high = middle
        return base + high * SECOND

    def _chunks(
        self, start: datetime, end: datetime | None = None
    ) -> Iterator[tuple[datetime, datetime, list[tuple[datetime, datetime]]]]:
        for lo, hi, offset in self._constant_offset_days(start, end):
            parts = self._open_parts((lo + offset).date())
            if parts:
                midnight = _local_midnight(lo, offset)
                yield lo, hi, [(midnight + opens, midnight + closes) for opens, closes in parts]
            else:
                yield lo, hi, []

    def _open_stretches(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Open stretches from ``start`` on, in order, for ever; CalendarError after 400 closed days."""
        last_open = start
        try:
            for lo, hi, parts in self._chunks(start):
                for opens, closes in parts:
                    opens, closes = max(opens, lo), min(closes, hi)
                    if opens < closes:
                        last_open = closes
                        yield opens, closes
                if hi - last_open > LONGEST_CLOSURE:
                    break
        except OverflowError as error:
            raise CalendarError("The deadline lies beyond the year 9999.") from error
        raise CalendarError(
            f"The calendar has no open time in the 400 days after {last_open:%Y-%m-%d}. "
            "Add opening hours or remove holidays."
        )


def parse_minutes(text: object, *, path: str = "") -> int:
    """``"18:00"`` → 1080; ``"24:00"`` is the end of the day. Raises CalendarError."""
    if isinstance(text, str) and len(text) == 5 and text[2] == ":" and text.isascii():
        hours, minutes = text[:2], text[3:]
        if hours.isdigit() and minutes.isdigit() and int(minutes) < 60:
            total = int(hours) * 60 + int(minutes)
            if total <= MINUTES_PER_DAY:
                return total
    raise CalendarError("Write times as HH:MM, from 00:00 to 24:00.", path=path)


def format_minutes(minutes: int) -> str:
    """1080 → ``"18:00"``."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _window_from_json(opens: object, closes: object, path: str) -> Window:
    try:
        return Window(parse_minutes(opens, path=path), parse_minutes(closes, path=path))
    except CalendarError as error:
        raise CalendarError(error.detail, path=path) from error


def _windows_from_json(data: object, *, path: str) -> tuple[Window, ...]:
    if not isinstance(data, list | tuple):
        raise CalendarError("The windows of a day must be a list.", path=path)
    windows = []
    for i, pair in enumerate(data):
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise CalendarError('A window must be a pair like ["10:00", "18:00"].', path=f"{path}.{i}")
        windows.append(_window_from_json(pair[0], pair[1], f"{path}.{i}"))
    return tuple(windows)


def _holiday_from_json(data: object, path: str) -> Holiday:
    if not isinstance(data, Mapping):
        raise CalendarError("A holiday must be an object with a date.", path=path)
    try:
        day = date.fromisoformat(str(data.get("date", "")))
    except ValueError as error:
        raise CalendarError("Write the date as YYYY-MM-DD.", path=f"{path}.date") from error
    closed = WHOLE_DAY
    if "from" in data or "to" in data:
        closed = _window_from_json(data.get("from", "00:00"), data.get("to", "24:00"), path)
    return Holiday(day=day, name=str(data.get("name", "")), closed=closed)


def _utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("Business time needs an aware datetime.")
    return at.astimezone(UTC)


def _local_midnight(at: datetime, offset: timedelta) -> datetime:
    """The UTC instant at which the local day of ``at`` began, were ``offset`` in force all day."""
    local = at + offset
    return local.replace(hour=0, minute=0, second=0, microsecond=0) - offset


def _clamp(at: datetime, lo: datetime, hi: datetime) -> datetime:
    return min(max(at, lo), hi)


def _cut(
    lo: datetime,
    hi: datetime,
    layers: Sequence[tuple[SegmentKind, Sequence[tuple[datetime, datetime]]]],
    otherwise: SegmentKind,
) -> Iterator[Segment]:
    """Split ``lo``–``hi`` at every edge of the layers; the first layer that covers a piece names it."""
    edges = {lo, hi}
    for _, spans in layers:
        edges.update(edge for span in spans for edge in span if lo < edge < hi)
    ordered = sorted(edges)
    for start, end in zip(ordered, ordered[1:], strict=False):
        kind = next((k for k, spans in layers if any(a <= start and end <= b for a, b in spans)), otherwise)
        yield Segment(start, end, kind)


def _joined(pieces: Iterable[Segment]) -> list[Segment]:
    joined: list[Segment] = []
    for piece in pieces:
        if joined and joined[-1].kind == piece.kind and joined[-1].end == piece.start:
            joined[-1] = Segment(joined[-1].start, piece.end, piece.kind)
        else:
            joined.append(piece)
    return joined
