"""Capacity: fractions are kept, so that a small one gets its share too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from funnel.domain.capacity import LEAD, Bucket

START = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("capacity", [5, 10, 14, 15, 44, 45])
def test_each_capacity_gets_exactly_its_share_of_thirty_days(capacity):
    bucket, given = Bucket(capacity), 0
    for hour in range(30 * 24):
        bucket = bucket.at(START + timedelta(hours=hour))
        if not bucket.is_empty:
            bucket, given = bucket.spend(), given + 1
    assert given == capacity


def test_a_quiet_time_saves_a_weeks_worth_and_no_more():
    bucket = Bucket(60).at(START).spend()
    assert bucket.leads == 0
    assert bucket.at(START + timedelta(days=3)).leads == 6
    assert bucket.at(START + timedelta(days=300)).leads == 14


def test_a_refund_gives_the_lead_back_and_a_clock_set_back_takes_nothing():
    bucket = Bucket(30).at(START).spend()
    assert (bucket.is_empty, bucket.refund().tokens) == (True, LEAD)
    assert bucket.at(START - timedelta(days=1)) == bucket


def test_without_a_capacity_there_is_no_limit():
    assert (Bucket(None).at(START).spend().is_empty, Bucket(None).leads) == (False, None)
