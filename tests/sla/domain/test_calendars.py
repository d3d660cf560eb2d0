"""Business time: golden vectors, both clock changes, and properties in 40 zones (F-17)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sla.domain.calendars import CalendarError, Holiday, Segment, WeeklyCalendar, Window

HOUR = timedelta(hours=1)
OFFICE = WeeklyCalendar.office("UTC")
ZONES = [
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "Europe/Dublin",
    "Europe/Lisbon",
    "Europe/Istanbul",
    "Europe/Moscow",
    "Atlantic/Azores",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Phoenix",
    "America/Los_Angeles",
    "America/Anchorage",
    "America/St_Johns",
    "America/Halifax",
    "America/Sao_Paulo",
    "America/Havana",
    "America/Santiago",
    "America/Asuncion",
    "America/Bogota",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Tokyo",
    "Asia/Shanghai",
    "Asia/Tehran",
    "Asia/Beirut",
    "Asia/Amman",
    "Asia/Gaza",
    "Asia/Dubai",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Australia/Adelaide",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "Africa/Casablanca",
    "Africa/Cairo",
    "Africa/Lagos",
]


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def berlin_at(text: str) -> datetime:
    return at(text, "Europe/Berlin")


def test_saturday_arrival_is_due_four_hours_into_monday():
    assert OFFICE.add(at("2026-01-10T15:00"), 4 * HOUR) == at("2026-01-12T14:00")


def test_friday_arrival_carries_the_rest_over_the_weekend():
    assert OFFICE.add(at("2026-01-09T17:00"), 4 * HOUR) == at("2026-01-12T13:00")


def test_a_deadline_exactly_at_closing_stays_there():
    assert OFFICE.add(at("2026-01-09T14:00"), 4 * HOUR) == at("2026-01-09T18:00")


def test_a_zero_target_is_due_at_the_next_opening():
    assert OFFICE.add(at("2026-01-09T18:00"), timedelta(0)) == at("2026-01-12T10:00")
    assert OFFICE.add(at("2026-01-09T12:34:56"), timedelta(0)) == at("2026-01-09T12:34:56")


def test_opening_is_inside_and_closing_is_outside():
    assert OFFICE.is_open(at("2026-01-09T10:00"))
    assert not OFFICE.is_open(at("2026-01-09T18:00"))
    assert OFFICE.next_opening(at("2026-01-09T18:00")) == at("2026-01-12T10:00")


def test_the_spring_day_has_23_hours_and_the_autumn_day_25():
    berlin = WeeklyCalendar.always("Europe/Berlin")
    assert berlin.between(berlin_at("2026-03-29T00:00"), berlin_at("2026-03-30T00:00")) == 23 * HOUR
    assert berlin.between(berlin_at("2026-10-25T00:00"), berlin_at("2026-10-26T00:00")) == 25 * HOUR


def test_a_night_window_loses_the_skipped_hour_and_gains_the_repeated_one():
    night = WeeklyCalendar(zone="Europe/Berlin", week=((Window(0, 360),),) * 7)
    assert night.between(berlin_at("2026-03-28T23:00"), berlin_at("2026-03-29T12:00")) == 5 * HOUR
    assert night.between(berlin_at("2026-10-24T23:00"), berlin_at("2026-10-25T12:00")) == 7 * HOUR


def test_a_window_that_lies_wholly_in_the_gap_does_not_exist_that_day():
    gap = WeeklyCalendar(zone="Europe/Berlin", week=((Window(120, 180),),) * 7)
    assert gap.next_opening(berlin_at("2026-03-28T12:00")) == berlin_at("2026-03-30T02:00")


def test_midnight_that_does_not_exist_in_sao_paulo():
    zone = "America/Sao_Paulo"
    calendar = WeeklyCalendar.always(zone)
    assert calendar.between(datetime(2018, 11, 4, 2, tzinfo=UTC), at("2018-11-05T00:00", zone)) == 24 * HOUR
    assert calendar.between(at("2018-11-04T01:00", zone), at("2018-11-05T00:00", zone)) == 23 * HOUR


def test_several_windows_and_one_that_ends_at_midnight():
    calendar = WeeklyCalendar(zone="UTC", week=((Window(540, 720), Window(1320, 1440)),) * 7)
    assert calendar.add(at("2026-01-05T11:00"), 2 * HOUR) == at("2026-01-05T23:00")
    assert calendar.add(at("2026-01-05T23:00"), 2 * HOUR) == at("2026-01-06T10:00")


def test_full_and_partial_holidays():
    calendar = WeeklyCalendar(
        zone="UTC",
        week=OFFICE.week,
        holidays=(
            Holiday(date(2026, 12, 25), "Christmas"),
            Holiday(date(2026, 12, 24), "Eve", Window(840, 1440)),
        ),
    )
    assert calendar.add(at("2026-12-24T12:00"), 4 * HOUR) == at("2026-12-28T12:00")
    assert calendar.between(at("2026-12-24T00:00"), at("2026-12-29T00:00")) == 12 * HOUR


def test_no_opening_in_400_days_is_an_error_not_round_the_clock():
    closed = tuple(Holiday(date(2026, 1, 1) + timedelta(days=i)) for i in range(500))
    calendar = WeeklyCalendar(zone="UTC", week=OFFICE.week, holidays=closed)
    with pytest.raises(CalendarError, match="400 days"):
        calendar.add(at("2026-01-01T00:00"), HOUR)


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ({"week": {"mon": [["10:00", "18:00"]]}}, "zone"),
        ({"zone": "Mars/Olympus", "week": {"mon": [["10:00", "18:00"]]}}, "zone"),
        ({"zone": "../../etc/passwd", "week": {"mon": [["10:00", "18:00"]]}}, "zone"),
        ({"zone": "UTC", "week": {}}, "week"),
        ({"zone": "UTC", "week": {"monday": []}}, "week"),
        ({"zone": "UTC", "week": {"mon": [["18:00", "10:00"]]}}, "week.mon.0"),
        ({"zone": "UTC", "week": {"mon": [["10:00", "24:01"]]}}, "week.mon.0"),
        ({"zone": "UTC", "week": {"mon": [["10:00", "14:00"], ["13:00", "18:00"]]}}, "week.mon.1"),
        ({"zone": "UTC", "week": {"mon": [["١٠:٠٠", "18:00"]]}}, "week.mon.0"),
        (
            {"zone": "UTC", "week": {"mon": [["10:00", "18:00"]]}, "holidays": [{"date": "2026-02-30"}]},
            "holidays.0.date",
        ),
    ],
)
def test_a_wrong_calendar_names_the_place(data, path):
    with pytest.raises(CalendarError) as error:
        WeeklyCalendar.from_json(data)
    assert error.value.path == path


def test_segments_tell_why_time_did_not_count():
    calendar = WeeklyCalendar(zone="UTC", week=OFFICE.week, holidays=(Holiday(date(2026, 1, 12), "Day off"),))
    strip = calendar.segments(
        at("2026-01-09T16:00"),
        at("2026-01-13T11:00"),
        pauses=[(at("2026-01-09T16:30"), at("2026-01-09T17:00"))],
    )
    assert strip == [
        Segment(at("2026-01-09T16:00"), at("2026-01-09T16:30"), "counting"),
        Segment(at("2026-01-09T16:30"), at("2026-01-09T17:00"), "paused"),
        Segment(at("2026-01-09T17:00"), at("2026-01-09T18:00"), "counting"),
        Segment(at("2026-01-09T18:00"), at("2026-01-12T00:00"), "off_hours"),
        Segment(at("2026-01-12T00:00"), at("2026-01-13T00:00"), "holiday"),
        Segment(at("2026-01-13T00:00"), at("2026-01-13T10:00"), "off_hours"),
        Segment(at("2026-01-13T10:00"), at("2026-01-13T11:00"), "counting"),
    ]


def test_naive_times_are_refused():
    with pytest.raises(ValueError, match="aware"):
        OFFICE.is_open(datetime(2026, 1, 9, 12))  # noqa: DTZ001  the point of the test


windows = st.lists(st.integers(0, 1440), min_size=2, max_size=6, unique=True).map(
    lambda edges: tuple(Window(*pair) for pair in zip(*[iter(sorted(edges))] * 2, strict=False))
)
holidays = st.lists(
    st.builds(
        Holiday, st.dates(date(2009, 1, 1), date(2027, 12, 31)), st.just("x"), windows.map(lambda w: w[0])
    ),
    max_size=3,
).map(tuple)
calendars = st.builds(
    lambda zone, week, holidays: WeeklyCalendar(zone=zone, week=tuple(week), holidays=holidays),
    st.sampled_from(ZONES),
    st.lists(windows, min_size=7, max_size=7),
    holidays,
)
instants = st.datetimes(datetime(2009, 1, 1), datetime(2027, 12, 31)).map(lambda d: d.replace(tzinfo=UTC))  # noqa: DTZ001
durations = st.integers(0, 60 * 3600 * 10**6).map(lambda us: timedelta(microseconds=us))


@settings(max_examples=150)
@given(calendars, instants, durations)
def test_between_undoes_add(calendar, start, duration):
    due = calendar.add(start, duration)
    assert due >= start
    assert calendar.between(start, due) == duration


@settings(max_examples=150)
@given(calendars, instants, durations, durations.filter(bool))
def test_splitting_a_duration_changes_nothing(calendar, start, first, second):
    assert calendar.add(calendar.add(start, first), second) == calendar.add(start, first + second)


@settings(max_examples=150)
@given(calendars, instants, st.timedeltas(timedelta(0), timedelta(days=9)), durations, durations)
def test_add_never_runs_backwards(calendar, start, later, shorter, longer):
    shorter, longer = sorted((shorter, longer))
    assert calendar.add(start, shorter) <= calendar.add(start, longer)
    assert calendar.add(start, shorter) <= calendar.add(start + later, shorter)


@settings(max_examples=60)
@given(calendars, instants)
def test_arithmetic_agrees_with_asking_every_minute(calendar, start):
    start = start.replace(second=0, microsecond=0)
    minutes = [start + timedelta(minutes=i) for i in range(36 * 60)]
    asked = timedelta(minutes=sum(calendar.is_open(minute) for minute in minutes))
    assert calendar.between(start, minutes[-1] + timedelta(minutes=1)) == asked


@settings(max_examples=60)
@given(calendars, instants, st.timedeltas(timedelta(seconds=1), timedelta(days=20)))
def test_segments_cover_the_span_and_count_what_between_counts(calendar, start, length):
    strip = calendar.segments(start, start + length)
    assert strip[0].start == start
    assert strip[-1].end == start + length
    assert all(a.end == b.start and a.kind != b.kind for a, b in zip(strip, strip[1:], strict=False))
    counted = sum((s.end - s.start for s in strip if s.kind == "counting"), timedelta(0))
    assert counted == calendar.between(start, start + length)


@settings(max_examples=60)
@given(calendars)
def test_json_round_trip_is_exact(calendar):
    assert WeeklyCalendar.from_json(calendar.to_json()) == calendar
