"""Numbers about the state of the work, read by SQL when somebody looks.

Apps register theirs at start; ``/metrics`` shows all. The lag of a loop is the age of the oldest thing
it should have done by now: it is zero when all is well, whatever the load.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection


@dataclass(frozen=True, slots=True)
class Reading:
    """``sql`` gives one row with one number, or rows of (label, number) when ``label`` names it."""

    name: str
    help: str
    sql: str
    label: str = ""


_readings: dict[str, Reading] = {}


def register(reading: Reading) -> None:
    """Make a reading known. Called from an app's ``wiring.connect`` only."""
    _readings[reading.name] = reading


def lag(loop: str, *, of: str, due: str, where: str) -> Reading:
    """The age in seconds of the oldest row of table ``of`` with ``where``, by its column ``due``."""
    return Reading(
        name=f"loop_lag_{loop}_seconds",
        help=f"Age of the oldest due item of the loop {loop}; 0 when nothing is due.",
        sql=f"SELECT coalesce(extract(epoch FROM now() - min({due})), 0) FROM {of}"  # noqa: S608
        f" WHERE {due} <= now() AND {where}",
    )


def read_all() -> Iterator[tuple[Reading, list[tuple[str, float]]]]:
    """Every reading with its values; label ``""`` for a single number."""
    with connection.cursor() as cursor:
        for name in sorted(_readings):
            reading = _readings[name]
            cursor.execute(reading.sql)
            rows = cursor.fetchall()
            if reading.label:
                yield reading, [(str(row[0]), float(row[1])) for row in rows]
            else:
                yield reading, [("", float(row[0])) for row in rows[:1]]
