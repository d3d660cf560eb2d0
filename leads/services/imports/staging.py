"""The staging area of one import run: temporary tables, COPY into them, and what became of each row.

All tables live in the run's transaction. ``import_row`` holds the read rows, ``import_error`` the
faults (row, line, field, reason), ``import_twin`` rows that repeat an id, ``import_outcome`` what a
kind did with a row ("c" created, "u" updated; a row without outcome is unchanged).
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from io import StringIO
from typing import Any

from django.db import connection
from psycopg2 import sql
from psycopg2.extras import execute_values

from leads.models import ImportRun, Source
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User

_CHUNK = 10_000
_MANY = 1000


@dataclass(slots=True)
class Batch:
    """One run in progress. ``fields`` maps each mapped field to the name of its column in the file."""

    source: Source
    run: ImportRun
    fields: Mapping[str, str]
    key: str
    create_missing: bool
    zone: str
    actor: User | None
    now: datetime
    # Whether tables may be locked for a first big load; nobody else can work meanwhile.
    may_lock: bool = True
    notes: list[str] = field(default_factory=list)
    left_out: Counter[tuple[str, str]] = field(default_factory=Counter)
    _faults: list[tuple[int, int, str, str]] = field(default_factory=list)

    def has(self, *names: str) -> bool:
        """Whether one of these fields is mapped to a column."""
        return any(name in self.fields for name in names)

    def may_make_users(self) -> bool:
        """Whether unknown owners become users: asked for, and by somebody who may manage users."""
        return self.create_missing and (self.actor is None or self.actor.may(Capability.MANAGE_USERS))

    def note(self, text: str) -> None:
        """Tell the person something about the run that is no fault of a row."""
        if text not in self.notes:
            self.notes.append(text)

    def parameters(self) -> dict[str, Any]:
        """What every statement may refer to."""
        return {
            "source": self.source.pk,
            "run": self.run.pk,
            "now": self.now,
            "actor": self.actor.pk if self.actor else None,
            "zone": self.zone,
        }

    def execute(self, statement: str | sql.Composable, **more: Any) -> int:
        """Run one statement and return how many rows it touched."""
        with connection.cursor() as cursor:
            cursor.execute(statement, {**self.parameters(), **more})
            return int(cursor.rowcount)

    def fetch(self, statement: str | sql.Composable, **more: Any) -> list[tuple[Any, ...]]:
        """Run one query and return its rows."""
        with connection.cursor() as cursor:
            cursor.execute(statement, {**self.parameters(), **more})
            return list(cursor.fetchall())

    def portions(self, query: str) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of ``query``, which takes ``after`` and ``most``, in portions by their first column."""
        after = 0
        while rows := self.fetch(query, after=after, most=_CHUNK):
            yield rows
            after = rows[-1][0]

    def table(self, name: str, query: str | sql.Composable, *, index: str = "", **more: Any) -> int:
        """Make the temporary table ``name`` from ``query``; return its number of rows."""
        self.drop(name)
        body = query if isinstance(query, sql.Composable) else sql.SQL(query)
        table = sql.Identifier(name)
        self.execute(sql.SQL("CREATE TEMP TABLE {} ON COMMIT DROP AS {}").format(table, body), **more)
        if index:
            self.execute(sql.SQL("CREATE INDEX ON {} ({})").format(table, sql.Identifier(index)))
        self.execute(sql.SQL("ANALYZE {}").format(table))
        return int(self.fetch(sql.SQL("SELECT count(*) FROM {}").format(table))[0][0])

    def refresh_statistics(self, *names: str, written: int) -> None:
        """Tell the planner of many rows just written, or it plans for the empty tables of before."""
        for name in names if written >= _MANY else ():
            self.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(name)))

    def drop(self, name: str) -> None:
        """Forget a temporary table of an earlier run in the same transaction."""
        self.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier("pg_temp", name)))

    def load(self, name: str, columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[Any]]) -> None:
        """Make the temporary table ``name`` with few rows that were worked out in Python."""
        self.drop(name)
        self.execute(_definition(name, columns))
        rows = list(rows)
        if rows:
            with connection.cursor() as cursor:
                insert = sql.SQL("INSERT INTO {} VALUES %s").format(sql.Identifier(name))
                execute_values(cursor.cursor, insert, rows, page_size=1000)
        self.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(name)))

    def open(self, columns: Sequence[tuple[str, str]]) -> None:
        """Make the staging tables; ``columns`` are those of all fields of the kind."""
        fixed = (("row_no", "int"), ("line_no", "int"))
        for name, wanted in (
            ("import_row", (*fixed, *columns, ("attributes", "jsonb"))),
            ("import_error", (*fixed, ("field", "text"), ("reason", "text"))),
            ("import_twin", (("row_no", "int"), ("leader", "int"))),
            ("import_outcome", (("row_no", "int"), ("outcome", '"char"'))),
            ("import_made", (("made_in", "text"), ("id", "bigint"))),
            ("import_before", (("found_in", "text"), ("row_id", "bigint"), ("before", "jsonb"))),
        ):
            self.drop(name)
            self.execute(_definition(name, wanted))

    def copy(self, columns: Sequence[str], rows: Iterator[Sequence[str | int | None]]) -> int:
        """COPY rows into ``import_row`` and return how many they were."""
        head = sql.SQL("COPY import_row ({}) FROM STDIN WITH (FORMAT csv)").format(
            sql.SQL(", ").join(sql.Identifier(name) for name in ("row_no", "line_no", *columns))
        )
        count = 0
        with connection.cursor() as cursor:
            statement = head.as_string(cursor.cursor)
            while True:
                buffer = StringIO()
                # Python quotes what holds a character of the line's end, so both ends must be in it.
                writer = csv.writer(buffer, lineterminator="\r\n")
                size = 0
                for row in rows:
                    writer.writerow(row)
                    size += 1
                    if size == _CHUNK:
                        break
                if size:
                    buffer.seek(0)
                    cursor.copy_expert(statement, buffer)
                    count += size
                self._write_faults()
                if size < _CHUNK:
                    break
        self.execute("ANALYZE import_row")
        return count

    def fault(self, row: int, line: int, name: str, reason: str) -> None:
        """A fault found while reading; the row is not staged."""
        self._faults.append((row, line, name, reason))

    def leave_out(self, name: str, reason: str) -> None:
        """A cell was left blank and its row kept."""
        self.left_out[name, reason] += 1

    def _write_faults(self) -> None:
        if not self._faults:
            return
        with connection.cursor() as cursor:
            execute_values(cursor.cursor, "INSERT INTO import_error VALUES %s", self._faults, page_size=1000)
        self._faults.clear()

    def reject(self, name: str, reason: str, where: str, **more: Any) -> int:
        """Take the rows ``r`` for which ``where`` holds out of the run; ``reason`` is told of each.

        ``where`` is a condition of the program, over ``import_row r``; values come by parameters.
        """
        statement = sql.SQL(
            "WITH gone AS (DELETE FROM import_row r WHERE {} RETURNING r.row_no, r.line_no)"
            " INSERT INTO import_error SELECT row_no, line_no, %(field)s, %(reason)s FROM gone"
        ).format(sql.SQL(where))
        return self.execute(statement, field=name, reason=reason, **more)

    def fold_twins(self, columns: Sequence[str]) -> None:
        """Rows of one external id become the last of them; what it leaves blank the earlier ones tell."""
        repeated = self.table(
            "import_repeated",
            "SELECT external_id, max(row_no) AS leader FROM import_row WHERE external_id IS NOT NULL"
            " GROUP BY external_id HAVING count(*) > 1",
        )
        if not repeated:
            return
        self.execute(
            "INSERT INTO import_twin SELECT r.row_no, t.leader FROM import_row r"
            " JOIN import_repeated t USING (external_id) WHERE r.row_no <> t.leader"
        )
        latest = sql.SQL(", ").join(
            sql.SQL(
                "(array_agg(r.{0} ORDER BY r.row_no DESC) FILTER (WHERE r.{0} IS NOT NULL))[1] AS {0}"
            ).format(sql.Identifier(name))
            for name in columns
        )
        assigned = sql.SQL(", ").join(sql.SQL("{0} = n.{0}").format(sql.Identifier(name)) for name in columns)
        self.execute(
            sql.SQL(
                "UPDATE import_row r SET {} FROM (SELECT t.leader, {} FROM import_row r"
                " JOIN import_repeated t USING (external_id) GROUP BY t.leader) n WHERE r.row_no = n.leader"
            ).format(assigned, latest)
        )
        twins = self.execute("DELETE FROM import_row r USING import_twin t WHERE r.row_no = t.row_no")
        self.note(f"{twins} rows repeat an external id of the file; the last row of each id counts.")

    def outcome(self, outcome: str, query: str, **more: Any) -> int:
        """Say what became of the rows whose numbers ``query`` gives."""
        statement = sql.SQL("INSERT INTO import_outcome SELECT row_no, {} FROM ({}) q").format(
            sql.Literal(outcome), sql.SQL(query)
        )
        return self.execute(statement, **more)

    def made(self, table: str, query: str) -> None:
        """Remember that the rows of ``table`` with the ids that ``query`` gives were made by this run."""
        self.execute(
            sql.SQL("INSERT INTO import_made SELECT {}, q.id FROM ({}) q(id)").format(
                sql.Literal(table), sql.SQL(query)
            )
        )

    def made_ids(self, table: str, ids: Sequence[int]) -> None:
        """As :meth:`made`, of rows whose ids are at hand."""
        if ids:
            self.execute(
                "INSERT INTO import_made SELECT %(table)s, unnest(%(ids)s::bigint[])",
                table=table,
                ids=list(ids),
            )

    def tell(self, outcomes: Iterable[tuple[int, str]]) -> None:
        """Say what became of single rows."""
        with connection.cursor() as cursor:
            execute_values(
                cursor.cursor, "INSERT INTO import_outcome VALUES %s", list(outcomes), page_size=1000
            )

    def counts(self) -> tuple[int, int, int, int]:
        """How many rows were created, updated, left unchanged and rejected.

        A row that repeats the id of a created one has added to it: it counts as updated.
        """
        ((created, updated),) = self.fetch(
            """
            WITH final AS (
                SELECT row_no, min(outcome) AS outcome FROM import_outcome GROUP BY row_no
            ), told AS (
                SELECT outcome FROM final
                UNION ALL
                SELECT 'u' FROM import_twin t JOIN final f ON f.row_no = t.leader
            )
            SELECT count(*) FILTER (WHERE outcome = 'c'), count(*) FILTER (WHERE outcome = 'u') FROM told
            """
        )
        ((staged,),) = self.fetch(
            "SELECT (SELECT count(*) FROM import_row) + (SELECT count(*) FROM import_twin)"
        )
        # A twin whose leader was rejected is rejected with it.
        ((lost,),) = self.fetch(
            "SELECT count(*) FROM import_twin t"
            " WHERE NOT EXISTS (SELECT 1 FROM import_row r WHERE r.row_no = t.leader)"
        )
        ((rejected,),) = self.fetch("SELECT count(DISTINCT row_no) FROM import_error")
        return created, updated, staged - lost - created - updated, rejected + lost

    def faults(self) -> Iterator[tuple[int, int, str, str]]:
        """All faults in the order of the rows, however many, by a cursor of the server."""
        with connection.chunked_cursor() as cursor:
            cursor.execute("SELECT row_no, line_no, field, reason FROM import_error ORDER BY row_no, field")
            while rows := cursor.fetchmany(_MANY):
                yield from rows


def kept(*, table: str, changed: str = "changed") -> str:
    """The part of a WITH that keeps rows as they were before the part ``changed`` of it changes them.

    All parts of a statement see the tables as they were when it began. ``changed`` returns ``id``;
    ``table`` is a name of the program.
    """
    return (
        f"kept AS (INSERT INTO import_before SELECT '{table}', t.id, to_jsonb(t) FROM {table} t"  # noqa: S608
        f" JOIN {changed} USING (id))"
    )


def _definition(name: str, columns: Sequence[tuple[str, str]]) -> sql.Composed:
    """``CREATE TEMP TABLE`` of the columns, each a name and the SQL type that the program gave it."""
    body = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(kind)) for column, kind in columns
    )
    return sql.SQL("CREATE TEMP TABLE {} ({}) ON COMMIT DROP").format(sql.Identifier(name), body)
