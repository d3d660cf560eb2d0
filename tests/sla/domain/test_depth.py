"""When a follow-up is deep enough."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sla.domain.calendars import WeeklyCalendar
from sla.domain.depth import Touch, progress
from sla.domain.working_days import business_day, share_passed, working_dates

MONDAY = datetime(2026, 1, 12, 10, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
OFFICE = WeeklyCalendar.office("UTC")


def call(at, channel="call", *, contact=False):
    return Touch(at, channel, is_attempt=True, is_contact=contact)


def told(*touches, attempts=2, channels=1, days=1):
    return progress(touches, attempts=attempts, channels=channels, days=days, calendar=OFFICE)


def test_the_instant_is_that_of_the_attempt_that_made_it_enough_whatever_the_order():
    touches = [call(MONDAY + 2 * HOUR), call(MONDAY), call(MONDAY + HOUR)]
    assert told(*touches).satisfied_at == MONDAY + HOUR


def test_channels_and_days_are_wanted_too():
    assert told(call(MONDAY), call(MONDAY + HOUR), channels=2).satisfied_at is None
    assert told(call(MONDAY), call(MONDAY + HOUR), days=2).satisfied_at is None
    assert told(call(MONDAY), call(MONDAY + DAY, "mail"), channels=2, days=2).satisfied_at == MONDAY + DAY


def test_an_attempt_on_sunday_is_an_attempt_but_no_business_day():
    sunday = MONDAY - DAY
    found = told(call(sunday), call(MONDAY), days=2)
    assert (found.attempts, found.days, found.satisfied_at) == (2, 1, None)


def test_a_contact_is_enough_and_what_comes_after_does_not_matter():
    assert told(call(MONDAY, contact=True), call(MONDAY + HOUR), attempts=9).satisfied_at == MONDAY


def test_a_business_day_is_the_ordinary_day_of_the_calendar():
    assert business_day(OFFICE) == 8 * HOUR
    assert business_day(WeeklyCalendar.always()) == 24 * HOUR


@pytest.mark.parametrize(
    ("now", "share"),
    [
        (MONDAY - DAY, 0.0),
        (MONDAY, 0.0),
        (MONDAY + 4 * HOUR, 0.1),
        (MONDAY + 5 * DAY, 1.0),
        (MONDAY + 99 * DAY, 1.0),
    ],
)
def test_the_share_of_a_period_is_that_of_its_open_time(now, share):
    start = MONDAY.replace(hour=0)
    assert share_passed(OFFICE, start, start + 7 * DAY, now) == pytest.approx(share)


def test_a_period_without_open_time_has_passed_once_it_is_over():
    saturday = MONDAY - 2 * DAY
    assert share_passed(OFFICE, saturday, saturday + DAY, saturday + HOUR) == 0.0
    assert share_passed(OFFICE, saturday, saturday + DAY, saturday + DAY) == 1.0
    assert working_dates(OFFICE, [saturday, MONDAY]) == {MONDAY.date()}
