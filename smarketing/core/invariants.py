"""What must hold at every moment, as SQL that returns the rows that break it.

Apps register theirs at start; ``manage.py audit`` runs all of them. The numbers (I-…) are those of
docs/reliability; a number may have several queries.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction


@dataclass(frozen=True, slots=True)
class Invariant:
    """``sql`` is one SELECT without parameters and final semicolon; no row means that it holds."""

    id: str
    title: str
    sql: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What one invariant's query found; ``rows`` holds at most the number asked for."""

    invariant: Invariant
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    total: int

    @property
    def holds(self) -> bool:
        """Whether nothing breaks it."""
        return self.total == 0


_invariants: dict[tuple[str, str], Invariant] = {}


def register(invariant: Invariant) -> None:
    """Make an invariant known. Called from an app's ``wiring.connect`` only."""
    _invariants[invariant.id, invariant.title] = invariant


def all_invariants() -> list[Invariant]:
    """Every registered invariant, by number and title."""
    return sorted(_invariants.values(), key=lambda i: (_number(i.id), i.title))


def check(*, only: str | None = None, sample: int = 20) -> Iterator[Finding]:
    """Run the queries in one read-only transaction, so that all see the same instant.

    ``only`` picks a number; ``sample`` is how many breaking rows are fetched of each.
    """
    outermost = not transaction.get_connection().in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        if outermost:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        else:
            cursor.execute("SET TRANSACTION READ ONLY")
        for invariant in all_invariants():
            if only is None or invariant.id == only:
                yield _run(cursor, invariant, sample)
        transaction.set_rollback(True)  # gives an outer transaction its right to write back


def _run(cursor: Any, invariant: Invariant, sample: int) -> Finding:
    cursor.execute(invariant.sql)
    columns = tuple(column.name for column in cursor.description)
    rows = tuple(cursor.fetchmany(sample))
    return Finding(invariant, columns, rows, cursor.rowcount)


def _number(text: str) -> tuple[int, str]:
    digits = "".join(c for c in text if c.isdigit())
    return int(digits or 0), text
