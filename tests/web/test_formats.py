"""Numbers, money and times as the viewer writes them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from smarketing.web import formats

NOW = datetime(2026, 3, 12, 14, 5, tzinfo=UTC)


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    formats.activate("en")
    yield
    formats.activate("en")


@pytest.mark.parametrize(
    ("locale", "value", "text"),
    [
        ("en", 1234567, "1,234,567"),
        ("en", Decimal("1234.56"), "1,234.6"),
        ("en", -3, "−3"),
        ("en", 0, "0"),
        ("en", None, "–"),
        ("de", 1234567.5, "1.234.567,5"),
        ("tlh", 1234, "1,234"),
    ],
)
def test_numbers_follow_the_viewers_format(locale: str, value: Decimal | None, text: str) -> None:
    formats.activate(locale)
    assert formats.number(value) == text


@pytest.mark.parametrize(
    ("locale", "value", "currency", "text"),
    [
        ("en", Decimal("10005534"), "USD", "$10,005,534"),
        ("en", Decimal("12.5"), "EUR", "€12.50"),
        ("en", 1200, "CHF", "CHF\u00a01,200"),
        ("en", 1200.4, "JPY", "¥1,200"),
        ("de", Decimal("1234.5"), "EUR", "1.234,50\u00a0€"),
        ("en", -5, "EUR", "−€5"),
    ],
)
def test_money_shows_cents_only_where_there_are_some(
    locale: str, value: Decimal, currency: str, text: str
) -> None:
    formats.activate(locale)
    assert formats.money(value, currency) == text


def test_a_share_of_fewer_than_ten_is_only_counted() -> None:
    assert formats.share(3, 7) == "3 of 7"
    assert formats.share(0, 0) == "0 of 0"
    assert formats.share(4238, 6711) == "63.2% (4,238 of 6,711)"
    assert formats.share(5, 10) == "50% (5 of 10)"


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(seconds=59), "0 min"),
        (timedelta(minutes=38), "38 min"),
        (timedelta(hours=5, minutes=10), "5 h 10 min"),
        (timedelta(hours=12, minutes=10), "12 h"),
        (timedelta(days=2, hours=4, minutes=9), "2 d 4 h"),
        (timedelta(days=47, hours=23), "47 d"),
    ],
)
def test_spans_show_their_two_largest_units(length: timedelta, text: str) -> None:
    assert formats.span(length) == text


def test_relative_times_turn_into_days_after_a_week() -> None:
    assert formats.ago(NOW - timedelta(hours=3), now=NOW) == "3 h ago"
    assert formats.ago(NOW + timedelta(minutes=20), now=NOW) == "in 20 min"
    assert formats.ago(NOW - timedelta(seconds=20), now=NOW) == "just now"
    assert formats.ago(NOW - timedelta(days=7), now=NOW) == "5 Mar 2026"


def test_instants_are_shown_in_the_viewers_zone() -> None:
    with timezone.override("Asia/Tokyo"):
        assert formats.moment(datetime(2026, 3, 12, 20, 0, tzinfo=UTC)) == "13 Mar 2026, 05:00"
        assert formats.day(datetime(2026, 3, 12, 20, 0, tzinfo=UTC)) == "13 Mar 2026"
    formats.activate("de")
    assert formats.day(date(2026, 3, 12)) == "12 Mär 2026"
