"""Results as JSON values, CSV lines and plain text: the same numbers in each."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from reporting.domain.results import Column, MoneyList, Rate, Result, Table, Unit, Value


def number(value: Decimal) -> int | float:
    """A Decimal as a JSON number: whole ones without a point."""
    return int(value) if value == value.to_integral_value() else float(value)


def plain(key: str, value: Value) -> dict[str, Any]:
    """One value as JSON entries: a rate brings its k, n and interval; money its currency.

    Money in several currencies is a list under ``<key>_by_currency``; the plain key is then null.
    """
    if isinstance(value, Rate):
        return {key: {"k": value.k, "n": value.n, "percent": value.percent, "interval_95": value.interval}}
    if isinstance(value, MoneyList):
        parts = [{"currency": m.currency, "amount": number(m.amount)} for m in value.parts]
        if len(parts) > 1:
            return {key: None, f"{key}_by_currency": parts}
        amount = parts[0]["amount"] if parts else 0
        return {key: amount, f"{key}_currency": parts[0]["currency"] if parts else None}
    return {key: value}


def as_json(result: Result) -> dict[str, Any]:
    """The result as JSON-ready values."""
    figures: dict[str, Any] = {}
    for figure in result.figures:
        figures |= plain(figure.column.key, figure.value)
    return {
        "report": result.report,
        "title": result.title,
        "params": dict(result.params),
        "as_of": result.as_of.isoformat(),
        "figures": figures,
        "tables": {table.key: _table_json(table) for table in result.tables},
        "formulas": _formulas(result),
        "notes": list(result.notes),
        "why_empty": result.why_empty,
    }


def as_lines(result: Result) -> Iterator[list[str]]:
    """The tables as lines of cells, each table under a heading line; rates as k, n and percent."""
    for index, table in enumerate(result.tables):
        if index:
            yield []
        yield [table.title]
        yield [cell for column in table.columns for cell in _head(column)]
        for row in (*table.rows, *((table.total,) if table.total else ())):
            yield [cell for column in table.columns for cell in _cells(column, row.values.get(column.key))]


def as_text(result: Result) -> str:
    """The result for a terminal."""
    lines = [result.title, "=" * len(result.title)]
    lines += [f"{f.column.label}: {text(f.value)}" for f in result.figures]
    for table in result.tables:
        lines += ["", table.title, *_aligned(table)]
    lines += ["", *[f"Note: {note}" for note in result.notes]] if result.notes else []
    lines += [result.why_empty] if result.why_empty else []
    return "\n".join(lines)


def text(value: Value) -> str:
    """One value in words: a rate shows its k of n, and no percentage for fewer than 10."""
    if value is None:
        return "n/a"
    if isinstance(value, Rate):
        share = "" if value.is_small or value.percent is None else f"{value.percent:.2f} % "
        return f"{share}({value.k} of {value.n})"
    if isinstance(value, MoneyList):
        return " + ".join(f"{m.amount:,.2f} {m.currency}" for m in value.parts) or "0"
    if isinstance(value, float):
        return f"{value:,.3f}"
    return f"{value:,}" if isinstance(value, int) else value


def _table_json(table: Table) -> dict[str, Any]:
    return {
        "title": table.title,
        "rows": [_row_json(table, row.values) | {"key": row.key} for row in table.rows],
        "total": _row_json(table, table.total.values) if table.total else None,
    }


def _row_json(table: Table, values: Any) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for column in table.columns:
        out |= plain(column.key, values.get(column.key))
    return out


def _formulas(result: Result) -> dict[str, str]:
    columns = [f.column for f in result.figures] + [c for t in result.tables for c in t.columns]
    return {c.key: c.formula for c in columns if c.formula}


def _head(column: Column) -> list[str]:
    if column.unit is Unit.RATE:
        return [f"{column.label} (k)", f"{column.label} (n)", f"{column.label} (%)"]
    return [column.label]


def _cells(column: Column, value: Value) -> list[str]:
    if column.unit is Unit.RATE:
        if not isinstance(value, Rate):
            return ["", "", ""]
        return [str(value.k), str(value.n), "" if value.percent is None else f"{value.percent:.2f}"]
    if isinstance(value, MoneyList):
        return [" + ".join(f"{m.amount:.2f} {m.currency}" for m in value.parts)]
    return ["" if value is None else str(value)]


def _aligned(table: Table) -> list[str]:
    grid = [[column.label for column in table.columns]]
    grid += [
        [text(row.values.get(column.key)) for column in table.columns]
        for row in (*table.rows, *((table.total,) if table.total else ()))
    ]
    widths = [max(len(line[i]) for line in grid) for i in range(len(table.columns))]
    return [
        "  ".join(
            cell.ljust(width) if column.unit is Unit.TEXT else cell.rjust(width)
            for cell, width, column in zip(line, widths, table.columns, strict=True)
        ).rstrip()
        for line in grid
    ]
