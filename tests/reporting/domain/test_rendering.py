"""Results as JSON, CSV and text carry the same numbers."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from funnel.domain.statistics import wilson
from reporting.domain import rendering
from reporting.domain.presets import Preset, days_of, previous_of
from reporting.domain.results import Column, Figure, Money, MoneyList, Rate, Result, Row, Table, Unit

EUR = MoneyList((Money(Decimal("10005534.00"), "EUR"),))
BOTH = MoneyList.of({"USD": Decimal("1.50"), "EUR": Decimal("2")})


def result() -> Result:
    columns = [
        Column("label", "Origin", Unit.TEXT),
        Column("rate", "Win rate", Unit.RATE, "won ÷ closed"),
        Column("revenue", "Revenue", Unit.MONEY),
    ]
    rows = [Row("a", {"label": "=cmd", "rate": Rate(4238, 6711), "revenue": EUR})]
    return Result(
        report="wins",
        title="Wins",
        params={},
        figures=[Figure(columns[1], Rate(4238, 6711)), Figure(columns[2], BOTH)],
        tables=[Table("t", "T", columns, rows)],
        as_of=datetime(2026, 1, 1, tzinfo=UTC),
    )


def test_a_rate_in_json_brings_its_k_and_n_and_interval() -> None:
    rate = rendering.as_json(result())["figures"]["rate"]
    assert (rate["k"], rate["n"], rate["percent"]) == (4238, 6711, 63.15)
    low, high = rate["interval_95"]
    assert low < 63.15 < high


def test_whole_money_in_json_has_no_point() -> None:
    row = rendering.as_json(result())["tables"]["t"]["rows"][0]
    assert row["revenue"] == 10_005_534
    assert isinstance(row["revenue"], int)
    assert row["revenue_currency"] == "EUR"


def test_currencies_are_never_added_up() -> None:
    figures = rendering.as_json(result())["figures"]
    assert figures["revenue"] is None
    assert figures["revenue_by_currency"] == [
        {"currency": "EUR", "amount": 2},
        {"currency": "USD", "amount": 1.5},
    ]


def test_a_rate_in_csv_is_three_cells() -> None:
    lines = list(rendering.as_lines(result()))
    assert lines[1] == ["Origin", "Win rate (k)", "Win rate (n)", "Win rate (%)", "Revenue"]
    assert lines[2][1:4] == ["4238", "6711", "63.15"]


def test_a_share_of_fewer_than_ten_is_told_without_a_percentage() -> None:
    assert rendering.text(Rate(3, 7)) == "(3 of 7)"
    assert rendering.text(Rate(3, 12)) == "25.00 % (3 of 12)"
    assert rendering.text(Rate(0, 0)) == "(0 of 0)"
    assert rendering.text(None) == "n/a"


def test_the_text_lines_up_its_columns() -> None:
    lines = rendering.as_text(result()).splitlines()
    assert lines[0] == "Wins"
    assert "63.15 % (4238 of 6711)" in lines[-1]


@pytest.mark.parametrize(
    ("k", "n", "low", "high"), [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0)]
)
def test_wilson_intervals_equal_published_ones(k: int, n: int, low: float, high: float) -> None:
    found = wilson(k, n)
    assert found == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


@pytest.mark.parametrize(("k", "n"), [(1, 0), (-1, 5), (6, 5)])
def test_there_is_no_interval_of_an_impossible_share(k: int, n: int) -> None:
    with pytest.raises(ValueError, match="no share"):
        wilson(k, n)


def test_presets_are_whole_days() -> None:
    today = datetime(2026, 3, 5, tzinfo=UTC).date()
    assert [d.isoformat() for d in days_of(Preset.THIS_MONTH, today)] == ["2026-03-01", "2026-03-05"]
    assert [d.isoformat() for d in days_of(Preset.LAST_MONTH, today)] == ["2026-02-01", "2026-02-28"]
    first, last = days_of(Preset.LAST_90_DAYS, today)
    assert (last - first).days == 89
    assert [d.isoformat() for d in previous_of(*days_of(Preset.LAST_MONTH, today))] == [
        "2026-01-04",
        "2026-01-31",
    ]
