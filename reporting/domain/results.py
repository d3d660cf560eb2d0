"""What a report answers with: figures and tables that page, API, export and mail share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from funnel.domain.statistics import wilson

SMALL_SAMPLE = 10


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with its numerator and denominator; never shown without them."""

    k: int
    n: int

    @property
    def percent(self) -> float | None:
        """100 k / n, rounded to two places; ``None`` where n is 0."""
        return round(100 * self.k / self.n, 2) if self.n else None

    @property
    def is_small(self) -> bool:
        """Whether the sample is too small to show a percentage on a page (n < 10)."""
        return self.n < SMALL_SAMPLE

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson 95 % interval in percent; ``None`` where n is 0."""
        if not self.n:
            return None
        low, high = wilson(self.k, self.n)
        return round(100 * low, 2), round(100 * high, 2)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in one currency."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class MoneyList:
    """Amounts in several currencies, which are never added up; sorted by currency."""

    parts: tuple[Money, ...]

    @classmethod
    def of(cls, sums: Mapping[str, Decimal]) -> MoneyList:
        """From sums by currency code."""
        return cls(tuple(Money(sums[c], c) for c in sorted(sums)))

    def __add__(self, other: MoneyList) -> MoneyList:
        sums: dict[str, Decimal] = {}
        for part in (*self.parts, *other.parts):
            sums[part.currency] = sums.get(part.currency, Decimal(0)) + part.amount
        return MoneyList.of(sums)


class Unit(StrEnum):
    """How a value is written."""

    TEXT = "text"
    COUNT = "count"
    RATE = "rate"
    MONEY = "money"
    DAYS = "days"
    FINE = "fine"  # a number told to three places
    PARTS = "parts"  # a number told to two places


Value = str | int | float | Rate | MoneyList | None


@dataclass(frozen=True, slots=True)
class Column:
    """One column or figure: its key in JSON, its label, its unit and its formula in words."""

    key: str
    label: str
    unit: Unit = Unit.COUNT
    formula: str = ""
    # Whether the cell opens the records behind it.
    opens: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table; ``key`` addresses it when a number is opened."""

    key: str
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Table:
    """Lines of one grouping, and their sum."""

    key: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    total: Row | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """One number with its meaning."""

    column: Column
    value: Value


@dataclass(frozen=True, slots=True)
class Result:
    """A whole answer. ``why_empty`` says what is missing when there is nothing to show."""

    report: str
    title: str
    params: Mapping[str, str]
    figures: Sequence[Figure]
    tables: Sequence[Table]
    as_of: datetime
    notes: Sequence[str] = field(default=())
    why_empty: str | None = None
