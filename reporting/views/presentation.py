"""Results as a page shows them: each value in words, each count with the address of its records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from reporting.domain.results import Column, Figure, MoneyList, Rate, Result, Row, Table, Unit, Value
from smarketing.web import formats
from smarketing.web.charts import Bar

Opener = Callable[[str, str], str]

_PLACES = {Unit.FINE: 3, Unit.PARTS: 2}
# How many lines of a table a page shows before "all".
FIRST = 50


@dataclass(frozen=True, slots=True)
class Cell:
    """One value in words; ``note`` is the k of n of a rate, ``url`` opens the records it counts."""

    text: str
    note: str
    url: str
    is_number: bool
    label: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table."""

    cells: Sequence[Cell]
    is_total: bool


@dataclass(frozen=True, slots=True)
class Grid:
    """One table with its heads and lines; ``hidden`` lines are left to the export."""

    key: str
    title: str
    heads: Sequence[Column]
    lines: Sequence[Line]
    hidden: int


@dataclass(frozen=True, slots=True)
class Number:
    """One figure: label, value, what stands below it, address of its records."""

    label: str
    text: str
    note: str
    url: str


@dataclass(frozen=True, slots=True)
class View:
    """A whole result in words."""

    numbers: Sequence[Number]
    grids: Sequence[Grid]


def of(result: Result, *, opens: Opener) -> View:
    """Write ``result`` in the viewer's language and format."""
    numbers = [_number(figure, opens) for figure in result.figures]
    return View(numbers, [_grid(table, opens) for table in result.tables])


def _number(figure: Figure, opens: Opener) -> Number:
    """A rate shows its percentage large and its k of n below; below ten cases only the counts."""
    column, value = figure.column, figure.value
    url = opens("all", column.key) if column.opens and value else ""
    short, counts = _short(value, column.unit)
    note = " · ".join(part for part in (counts, column.formula) if part)
    return Number(column.label, short, note, url)


def _short(value: Value, unit: Unit) -> tuple[str, str]:
    """A value in words and, of a rate large enough for a percentage, its k of n apart."""
    if isinstance(value, Rate) and value.n and not value.is_small:
        counts = _("%(k)s of %(n)s") % {"k": formats.number(value.k), "n": formats.number(value.n)}
        return formats.percent(value.k / value.n), counts
    if unit in _PLACES and isinstance(value, float):
        return formats.number(value, _PLACES[unit]), ""
    return text(value), ""


def text(value: Value) -> str:
    """One value in the viewer's format: a rate with its k of n, money with its currency."""
    if value is None:
        return "–"
    if isinstance(value, Rate):
        return formats.share(value.k, value.n)
    if isinstance(value, MoneyList):
        return " + ".join(formats.money(m.amount, m.currency) for m in value.parts) or "–"
    if isinstance(value, float):
        return formats.number(round(value, 1))
    return formats.number(value) if isinstance(value, int) else value


def bars(table: Table, *, column: str, note: str = "", opens: Opener) -> list[Bar]:
    """The lines of ``table`` as bars: length by ``column``, the rate ``note`` below."""
    label = table.columns[0].key
    return [_bar(row, label, column, note, opens) for row in table.rows[:12]]


def _bar(row: Row, label: str, column: str, note: str, opens: Opener) -> Bar:
    value: Any = row.values[column]
    below = row.values.get(note)
    return Bar(
        label=str(row.values[label]),
        value=float(value or 0),
        text=text(value),
        note=text(below) if below is not None else "",
        url=opens(row.key, column) if value else "",
    )


def _grid(table: Table, opens: Opener) -> Grid:
    lines = [Line(_cells(table.columns, row, opens), is_total=False) for row in table.rows[:FIRST]]
    if table.total is not None:
        lines.append(Line(_cells(table.columns, table.total, opens), is_total=True))
    return Grid(table.key, table.title, table.columns, lines, max(0, len(table.rows) - FIRST))


def _cells(columns: Sequence[Column], row: Row, opens: Opener) -> list[Cell]:
    values: Mapping[str, Value] = row.values
    return [
        Cell(
            *_short(values.get(column.key), column.unit),
            opens(row.key, column.key) if column.opens and values.get(column.key) else "",
            column.unit is not Unit.TEXT,
            column.label,
        )
        for column in columns
    ]
