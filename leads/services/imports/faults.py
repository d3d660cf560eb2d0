"""The first faults of a check with the cells they are about, so that a person can mend them in place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from leads.services.imports.plans import Options, Table

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
