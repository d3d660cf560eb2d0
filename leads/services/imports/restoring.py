"""Giving rows the values back that an import has replaced, where nobody has replaced them since."""

from __future__ import annotations

from typing import Any, Protocol

from psycopg2 import sql

_JSON = """
CASE WHEN b.before ? 'attributes' THEN coalesce((
    SELECT jsonb_object_agg(q.key, q.value) FROM (
        SELECT e.key, e.value FROM jsonb_each(t.attributes) e
         WHERE NOT (a.attributes -> e.key IS NOT DISTINCT FROM e.value
                    AND o.attributes -> e.key IS DISTINCT FROM e.value)
        UNION ALL
        SELECT e.key, e.value FROM jsonb_each(o.attributes) e
         WHERE a.attributes -> e.key IS DISTINCT FROM e.value
           AND t.attributes -> e.key IS NOT DISTINCT FROM a.attributes -> e.key) q), '{}')
     ELSE t.attributes END
"""
# An earlier lap is opened again and takes its number back only when the later one has gone.
_LEADS = """
 AND NOT EXISTS (SELECT 1 FROM undo_held h JOIN leads_lead x ON x.id = h.id
                  WHERE h.held_in = 'leads_lead' AND x.person_id = t.person_id)
 AND NOT (b.before ? 'closed_at' AND o.closed_at IS NULL AND EXISTS (
          SELECT 1 FROM leads_lead x
           WHERE x.person_id = t.person_id AND x.id <> t.id AND x.closed_at IS NULL))
"""


class Session(Protocol):
    """The undo that restores."""

    def execute(self, statement: str | sql.Composable, **more: Any) -> int: ...
    def fetch(self, statement: str | sql.Composable, **more: Any) -> list[tuple[Any, ...]]: ...


def tables(*, undo: Session) -> list[str]:
    """The tables in which the run has changed rows it found."""
    found = undo.fetch('SELECT DISTINCT "table" FROM leads_importbefore WHERE run_id = %(run)s ORDER BY 1')
    return [table for (table,) in found]


def restore(*, undo: Session, table: str) -> int:
    """Restore the rows of one table; how many rows are different for it."""
    columns, known = _columns(undo, table)
    values = {name: _value(name) for name in columns if name in known}
    if not values:
        return 0
    only = sql.SQL(_LEADS if table == "leads_lead" else "")
    rows = sql.SQL(
        " FROM leads_importbefore b, jsonb_populate_record(NULL::{0}, b.before) o,"
        " jsonb_populate_record(NULL::{0}, b.after) a"
        ' WHERE b.run_id = %(run)s AND b."table" = %(table)s AND b.row_id = t.id'
    ).format(sql.Identifier(table))
    if "lap" in values:
        # In two steps, for no two laps of a person may have one number even for a moment.
        undo.execute(
            sql.SQL("UPDATE leads_lead t SET lap = t.lap + 10000") + rows + only
            + sql.SQL(" AND b.before ? 'lap' AND t.lap = a.lap"),
            table=table,
        )  # fmt: skip
        values["lap"] = sql.SQL("CASE WHEN t.lap > 10000 THEN o.lap ELSE t.lap END")
    stamps = [
        sql.SQL(text)
        for name, text in (("version", "version = t.version + 1"), ("updated_at", "updated_at = %(now)s"))
        if name in known
    ]
    assigned = [sql.SQL("{} = {}").format(sql.Identifier(n), v) for n, v in values.items()] + stamps
    final = sql.SQL(", ").join(values.values())
    present = sql.SQL(", ").join(sql.SQL("t.{}").format(sql.Identifier(name)) for name in values)
    statement = (
        sql.SQL("UPDATE {} t SET ").format(sql.Identifier(table))
        + sql.SQL(", ").join(assigned)
        + rows
        + only
        + sql.SQL(" AND ROW({}) IS DISTINCT FROM ROW({})").format(final, present)
    )
    return undo.execute(statement, table=table)


def _columns(undo: Session, table: str) -> tuple[list[str], set[str]]:
    """The columns that the run has changed, and those that the table has by now."""
    changed = undo.fetch(
        "SELECT DISTINCT jsonb_object_keys(before) FROM leads_importbefore"
        ' WHERE run_id = %(run)s AND "table" = %(table)s ORDER BY 1',
        table=table,
    )
    present = undo.fetch(
        "SELECT attname FROM pg_attribute WHERE attrelid = %(table)s::regclass AND attnum > 0"
        " AND NOT attisdropped",
        table=table,
    )
    return [name for (name,) in changed], {name for (name,) in present}


def _value(name: str) -> sql.Composable:
    if name == "attributes":
        return sql.SQL(_JSON)
    return sql.SQL(
        "CASE WHEN b.before ? {1} AND t.{0} IS NOT DISTINCT FROM a.{0} THEN o.{0} ELSE t.{0} END"
    ).format(sql.Identifier(name), sql.Literal(name))
