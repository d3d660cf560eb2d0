"""Cells as values: what exports write, what is refused, and nothing that breaks."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leads.domain import values
from leads.domain.values import BadValue, DateOrder

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1054", "1054"),
        ("1,234", "1234"),
        ("1.234", "1.234"),
        ("1,234.56", "1234.56"),
        ("1.234,56", "1234.56"),
        ("1 234,5", "1234.5"),
        ("1\u00a0234\u202f567", "1234567"),
        ("1'234.50", "1234.50"),
        ("12,5", "12.5"),
        ("1.234.567", "1234567"),
        ("-5", "-5"),
        ("\u22125", "-5"),
        ("(5)", "-5"),
        ("€1,200", "1200"),
        ("USD 5,000", "5000"),
        ("R$ 5", "5"),
        ("5 EUR", "5"),
        ("$-5", "-5"),
        ("5%", "5"),
        ("+5", "5"),
        ("1.0E7", "10000000"),
        ("1124741.15", "1124741.15"),
        ("1000000000000000", "1e15"),
        ("0.0", "0"),
    ],
)
def test_numbers(text, amount):
    assert values.number(text) == Decimal(amount)


@pytest.mark.parametrize(
    "text",
    [
        "abc",
        "1_000",
        "0x10",
        "١",
        "１２",
        "1e99",
        "1e16",
        "nan",
        "inf",
        "--5",
        "1 2 3",
        "12 34",
        "1,23,456",
        "5-",
        "()",
        "%",
        "1.2.3",
        "9" * 40,
        "=1+1",
    ],
)
def test_what_is_no_number(text):
    with pytest.raises(BadValue):
        values.number(text)


@pytest.mark.parametrize(("text", "count"), [("50", 50), ("1,200", 1200), ("10000+", 10000), ("7.0", 7)])
def test_whole_numbers(text, count):
    assert values.whole(text) == count


@pytest.mark.parametrize("text", ["1.5", "-1", "2147483648"])
def test_what_is_no_whole_number(text):
    with pytest.raises(BadValue):
        values.whole(text)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2018-02-01", "2018-01-31T23:00"),
        ("2018-02-26 19:58:54", "2018-02-26T18:58:54"),
        ("2020-12-30 3:15:52", "2020-12-30T02:15:52"),
        ("2024-01-23T03:54:57.000+0000", "2024-01-23T03:54:57"),
        ("2023-05-03 08:51:08 UTC", "2023-05-03T08:51:08"),
        ("2024-01-23T03:54:57Z", "2024-01-23T03:54:57"),
        ("2023-05-03 08:51:08.199000 UTC", "2023-05-03T08:51:08.199"),
        ("13/04/2024", "2024-04-12T22:00"),
        ("04/13/2024", "2024-04-12T22:00"),
        ("31.12.2024", "2024-12-30T23:00"),
        ("2024-1-5", "2024-01-04T23:00"),
        ("1/22/2024, 8:36 PM", "2024-01-22T19:36"),
        ("Jan 5, 2024", "2024-01-04T23:00"),
        ("5 Jan 2024", "2024-01-04T23:00"),
        ("1700000000000", "2023-11-14T22:13:20"),
        ("1700000000", "2023-11-14T22:13:20"),
        ("2024-01-01T23:59:60Z", "2024-01-01T23:59:59"),
    ],
)
def test_instants(text, instant):
    read = values.instant_reader(DateOrder.UNKNOWN, BERLIN)
    assert read(text) == datetime.fromisoformat(instant).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2024-02-30",
        "9999-12-31",
        "1899-12-31",
        "24:00",
        "45000",
        "0",
        "infinity",
        "19081209",
        "1/2/3",
        "31/31/2024",
        "2024-01-01 25:00",
        "2024-01-01 10:00 Mars",
    ],
)
def test_what_is_no_instant(text):
    with pytest.raises(BadValue):
        values.instant_reader(DateOrder.UNKNOWN, BERLIN)(text)


def test_an_ambiguous_date_asks_for_the_order():
    with pytest.raises(BadValue, match="--dates"):
        values.instant_reader(DateOrder.UNKNOWN, UTC)("03/04/2024")
    assert values.date_reader(DateOrder.DAY_FIRST, UTC)("03/04/2024") == date(2024, 4, 3)
    assert values.date_reader(DateOrder.MONTH_FIRST, UTC)("03/04/2024") == date(2024, 3, 4)


def test_a_day_is_the_day_where_the_organisation_is():
    read = values.date_reader(DateOrder.UNKNOWN, BERLIN)
    assert read("2024-01-31T23:30:00Z") == date(2024, 2, 1)
    assert read("2024-01-31") == date(2024, 1, 31)


@pytest.mark.parametrize(
    ("text", "answer"), [("TRUE", True), ("Yes", True), ("1", True), ("f", False), ("Não", False)]
)
def test_yes_and_no(text, answer):
    assert values.boolean(text) is answer


def test_maybe_is_neither():
    with pytest.raises(BadValue):
        values.boolean("maybe")


def test_text_loses_what_turns_it_around():
    assert values.line("Ada \u202egro.elpmaxe\u202c\tLovelace\x07") == "Ada gro.elpmaxe Lovelace"
    assert values.line("\ufeffAda") == "Ada"
    assert values.line("A\u0301da") == "Áda"
    assert values.prose(" a\r\nb\rc\x00d ") == "a\nb\nc d"


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("https://www.Example.com:8080/x?y#z", "example.com"),
        ("ada@example.com", "example.com"),
        ("München.de", "xn--mnchen-3ya.de"),
        ("example.com.", "example.com"),
    ],
)
def test_domains(text, host):
    assert values.domain(text) == host


@pytest.mark.parametrize(
    "text", ["example", "a b.com", "javascript:alert(1)", "http://", "-x.com", "1.2.3.4"]
)
def test_what_is_no_domain(text):
    with pytest.raises(BadValue):
        values.domain(text)


anything = st.text(
    st.sampled_from("0123456789.,-+ ()'eE$€%/:TZ\u00a0\u2212AMPMutcJanFeb١"), max_size=24
) | st.text(max_size=30)
READERS = [
    values.number, values.whole, values.boolean, values.domain, values.line, values.prose,
    *(values.instant_reader(order, ZoneInfo("America/Sao_Paulo")) for order in DateOrder),
    values.date_reader(DateOrder.DAY_FIRST, ZoneInfo("Asia/Kolkata")),
]  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(anything.map(str.strip).filter(bool))
def test_every_reader_reads_or_refuses(text):
    for read in READERS:
        try:
            read(text)
        except BadValue as refused:
            assert str(refused)  # noqa: PT017  every refusal explains itself
