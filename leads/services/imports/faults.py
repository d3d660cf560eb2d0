"""The first faults of a check with the cells they are about, so that a person can mend them in place."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from leads.models import ImportRun
from leads.services.imports import files
from leads.services.imports.plans import Options, Table
from smarketing.core import formulas

TOLD = 50
_LONG = 400


def located(*, table: Table, errors: Sequence[Mapping[str, Any]], options: Options) -> list[dict[str, Any]]:
    """Each fault with ``position`` (of its column, None for a whole row) and the cell's ``value``.

    Reads the file as far as the last of the rows.
    """
    places = {name: position for position, name in enumerate(table.header) if name}
    wanted = {int(fault["row"]) for fault in errors}
    rows: dict[int, list[str]] = {}
    if wanted:
        last = max(wanted)
        for row, _line, cells in table.rows(lambda *_: None):
            if row in wanted:
                rows[row] = cells
            if row >= last:
                break
    found = []
    for fault in errors:
        row, position = int(fault["row"]), places.get(str(fault["column"]))
        cells = rows.get(row, [])
        value = cells[position] if position is not None and position < len(cells) else ""
        if position is not None:
            value = options.corrections.get((row, position), value)
        found.append(
            {
                **fault,
                "position": position if cells else None,
                "value": value[:_LONG],
                "context": [cell[:80] for cell in cells if cell][:4],
            }
        )
    return found


def page(*, run: ImportRun, after: int, limit: int) -> tuple[list[dict[str, Any]], int | None]:
    """``limit`` faults of the last check or run behind the first ``after``, and where the next begin."""
    place = files.errors_of(name=run.stored_file) if run.stored_file and run.error_file else None
    if place is None or not place.is_file():
        return [], None
    with place.open(encoding="utf-8", newline="") as file:
        found = [
            {
                "row": int(row["row"]),
                "line": int(row["line"]),
                "column": formulas.plain(row["column"]),
                "reason": formulas.plain(row["reason"]),
            }
            for row in islice(csv.DictReader(file), after, after + limit + 1)
        ]
    return found[:limit], after + limit if len(found) > limit else None
