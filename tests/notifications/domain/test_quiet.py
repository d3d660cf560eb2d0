"""Quiet hours and digests on the reader's wall clock: golden instants, and what holds for all."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smarketing.notifications.domain.quiet import Rhythm, Timing

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = Timing(BERLIN, time(20), time(7), digest_at=time(8), digest_weekday=0)


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC)


@pytest.mark.parametrize(
    ("at", "sent"),
    [
        ("2026-03-04T19:59:59", "2026-03-04T19:59:59"),
        ("2026-03-04T20:00", "2026-03-05T07:00"),
        ("2026-03-05T00:30", "2026-03-05T07:00"),
        ("2026-03-05T06:59:59", "2026-03-05T07:00"),
        ("2026-03-05T07:00", "2026-03-05T07:00"),
        ("2026-03-28T22:00", "2026-03-29T07:00"),  # the night that lost an hour
        ("2026-10-24T22:00", "2026-10-25T07:00"),  # the night that had one more
    ],
)
def test_a_mail_waits_for_the_end_of_the_night(at: str, sent: str) -> None:
    assert NIGHT.next_mail(Rhythm.AT_ONCE, berlin(at)) == berlin(sent)


def test_hours_within_a_day_are_quiet_too() -> None:
    lunch = Timing(BERLIN, time(12), time(13, 30))
    assert lunch.not_before(berlin("2026-03-04T12:15")) == berlin("2026-03-04T13:30")
    assert lunch.not_before(berlin("2026-03-04T20:15")) == berlin("2026-03-04T20:15")


@pytest.mark.parametrize(
    ("rhythm", "at", "sent"),
    [
        (Rhythm.DAILY, "2026-03-04T08:00", "2026-03-04T08:00"),
        (Rhythm.DAILY, "2026-03-04T08:00:01", "2026-03-05T08:00"),
        (Rhythm.DAILY, "2026-03-28T12:00", "2026-03-29T08:00"),
        (Rhythm.WEEKLY, "2026-03-04T09:00", "2026-03-09T08:00"),
        (Rhythm.WEEKLY, "2026-03-09T07:59", "2026-03-09T08:00"),
        (Rhythm.WEEKLY, "2026-03-09T08:01", "2026-03-16T08:00"),
    ],
)
def test_a_digest_comes_at_its_hour_and_day(rhythm: Rhythm, at: str, sent: str) -> None:
    assert NIGHT.next_mail(rhythm, berlin(at)) == berlin(sent)


def test_a_digest_in_quiet_hours_waits_for_their_end() -> None:
    timing = Timing(BERLIN, time(20), time(9), digest_at=time(8))
    assert timing.next_mail(Rhythm.DAILY, berlin("2026-03-04T12:00")) == berlin("2026-03-05T09:00")


def test_what_is_never_mailed_has_no_instant() -> None:
    with pytest.raises(ValueError, match="never"):
        NIGHT.next_mail(Rhythm.NEVER, berlin("2026-03-04T12:00"))


@settings(max_examples=60)
@given(
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]),
    at=st.integers(1_704_067_200, 1_830_297_600).map(lambda s: datetime.fromtimestamp(s, UTC)),
    ends=st.tuples(st.times(), st.times()),
    rhythm=st.sampled_from([Rhythm.AT_ONCE, Rhythm.DAILY, Rhythm.WEEKLY]),
)
def test_nothing_is_sent_early_or_more_than_its_rhythm_late(
    zone: str, at: datetime, ends: tuple[time, time], rhythm: Rhythm
) -> None:
    timing = Timing(ZoneInfo(zone), *ends)
    sent = timing.next_mail(rhythm, at)
    days = {Rhythm.AT_ONCE: 1, Rhythm.DAILY: 2, Rhythm.WEEKLY: 8}[rhythm]
    assert at <= sent <= at + timedelta(days=days, hours=2)
