"""Cells are read strictly: right, or refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from leads.domain import values
from leads.domain.values import BadValue, DateOrder


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2024-03-31", (2024, 3, 31)),
        ("2024-03-31T14:05:06Z", (2024, 3, 31, 14, 5, 6)),
        ("2024-01-19T09:42:24.000+0000", (2024, 1, 19, 9, 42, 24)),
        ("2024-01-19T09:42:24+02:00", (2024, 1, 19, 7, 42, 24)),
        ("2019-09-15 2:50:54", (2019, 9, 15, 2, 50, 54)),
        ("2024/3/1", (2024, 3, 1)),
        ("31.03.2024 14:05", (2024, 3, 31, 14, 5)),
        ("3/31/2024", (2024, 3, 31)),
        ("31/3/2024", (2024, 3, 31)),
        ("12/31/24 11:02 PM", (2024, 12, 31, 23, 2)),
        ("Jan 5, 2020", (2020, 1, 5)),
        ("5 January 2020 3:05 pm", (2020, 1, 5, 15, 5)),
        ("1711843200000", (2024, 3, 31)),
        ("1711843200", (2024, 3, 31)),
    ],
)
def test_dates_of_many_systems_are_read(text: str, wanted: tuple[int, ...]) -> None:
    read = values.instant_reader(DateOrder.UNKNOWN, UTC)
    assert read(text) == datetime(*wanted, tzinfo=UTC)


@pytest.mark.parametrize(("order", "month"), [(DateOrder.DAY_FIRST, 4), (DateOrder.MONTH_FIRST, 3)])
def test_an_ambiguous_date_is_read_only_when_its_order_is_told(order: DateOrder, month: int) -> None:
    assert values.date_reader(order, UTC)("03/04/2024").month == month
    with pytest.raises(BadValue, match="--dates"):
        values.date_reader(DateOrder.UNKNOWN, UTC)("03/04/2024")


@pytest.mark.parametrize(
    "text",
    ["2024-02-30", "yesterday", "20240331", "0001-01-01", "2024-13-01", "10000-01-01", "31/31/2024", "٢٠٢٤"],
)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(BadValue):
        values.instant_reader(DateOrder.UNKNOWN, UTC)(text)


def test_local_time_is_that_of_the_zone() -> None:
    read = values.instant_reader(DateOrder.UNKNOWN, ZoneInfo("Europe/Berlin"))
    assert read("2024-07-01 12:00") == datetime(2024, 7, 1, 10, 0, tzinfo=UTC)
    assert values.date_reader(DateOrder.UNKNOWN, ZoneInfo("Europe/Berlin"))("2024-07-01") == date(2024, 7, 1)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("5", "5"),
        ("1,234.56", "1234.56"),
        ("1.234,56", "1234.56"),
        ("1'234.5", "1234.5"),
        ("1 234,5", "1234.5"),
        ("1,234", "1234"),
        ("1.234.567", "1234567"),
        ("12,5", "12.5"),
        ("$5", "5"),
        ("USD 1,000", "1000"),
        ("5 €", "5"),
        ("-€5", "-5"),
        ("\u22125", "-5"),
        ("(12)", "-12"),
        ("1e5", "100000"),
    ],
)
def test_amounts_of_many_countries_are_read(text: str, wanted: str) -> None:
    assert values.number(text) == Decimal(wanted)


@pytest.mark.parametrize(
    "text", ["abc", "1,2,3", "١٢", "1e99", "0x10", "1_000", "NaN", "Infinity", "--5", "5-5", "9" * 40]
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(BadValue):
        values.number(text)


@pytest.mark.parametrize(("text", "wanted"), [("577", 577), ("1,000+", 1000), ("0", 0)])
def test_whole_numbers(text: str, wanted: int) -> None:
    assert values.whole(text) == wanted


@pytest.mark.parametrize("text", ["1.5", "-1", "99999999999", "fifty"])
def test_what_is_no_whole_number_is_refused(text: str) -> None:
    with pytest.raises(BadValue):
        values.whole(text)


def test_yes_and_no() -> None:
    assert [values.boolean(t) for t in ("TRUE", "yes", "1", "false", "No", "0")] == [True] * 3 + [False] * 3
    with pytest.raises(BadValue):
        values.boolean("maybe")


def test_a_line_loses_what_would_turn_or_break_it() -> None:
    assert values.line("Anna\u202e nosredeP") == "Anna nosredeP"
    assert values.line("a\tb\x07c") == "a b c"
    assert values.line("e\u0301") == "é"
    assert values.prose("one\r\ntwo\x00") == "one\ntwo"


def test_hashes_are_told_from_addresses() -> None:
    assert values.is_digest("fcb67ef339b691956cc85fa12be6490c")
    assert values.is_digest("PsO4E5YPnpbcBSOq3aGKtQ==")
    assert not values.is_digest("ann@example.com")
    assert not values.is_digest("ann")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("https://www.Example.com/a?b", "example.com"),
        ("example.com:8080", "example.com"),
        ("münchen.de", "xn--mnchen-3ya.de"),
    ],
)
def test_domains_of_web_addresses(text: str, wanted: str) -> None:
    assert values.domain(text) == wanted


@pytest.mark.parametrize("text", ["n/a", "http://", "example", "a b.com", "exa_mple"])
def test_what_is_no_web_address_is_refused(text: str) -> None:
    with pytest.raises(BadValue):
        values.domain(text)
