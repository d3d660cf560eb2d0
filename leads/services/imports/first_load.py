"""The first big load of an installation: references are proved once, set-based, at the end.

A foreign key is checked row by row, and two dozen of them lie on the way of one lead: half of the
time of a big import. Where there is no lead yet, nobody's work can wait for these tables, so the keys
of the tables that get rows are taken off under lock, and put on again in the same transaction: then
the database proves each by one join over all rows. The trigram index is built at once likewise. If
anything fails, the transaction is rolled back and all of it is as it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, transaction
from psycopg2 import sql

from leads.services.imports.staging import Batch

# Fewer rows than these go in faster than the keys are proved anew.
LARGE = 20_000
_OWN = (
    "leads_person",
    "leads_personemail",
    "leads_personphone",
    "leads_personref",
    "leads_lead",
    "leads_touchpoint",
)
# Tables of later apps hang on the lead: each gets its rows from subscribers of the same transaction.
_TABLES = """
SELECT DISTINCT c.oid::regclass::text, pg_has_role(c.relowner, 'USAGE')
  FROM pg_class c LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'f'
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
   AND (c.relname = ANY(%(own)s) OR k.confrelid = 'leads_lead'::regclass) ORDER BY 1
"""
_KEYS = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), confrelid::regclass::text
  FROM pg_constraint WHERE contype = 'f' AND conrelid = ANY(%(tables)s::regclass[]) ORDER BY 1, 2
"""
_INDEXES = """
SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
 WHERE a.amname = 'gin' AND i.indrelid = 'leads_person'::regclass ORDER BY 1
"""


@contextmanager
def proved_at_once(*, batch: Batch) -> Iterator[None]:
    """Let the rows of a first big load go in without their single checks; elsewhere do nothing."""
    keys = _taken_off(batch) if batch.may_lock else {}
    if not keys:
        yield
        return
    indexes = batch.fetch(_INDEXES)
    for name, _ in indexes:
        batch.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
    yield
    batch.execute("SET LOCAL maintenance_work_mem = '256MB'")
    for _, definition in indexes:
        batch.execute(sql.SQL(definition))
    for table, added in keys.items():
        clauses = sql.SQL(", ").join(
            sql.SQL("ADD CONSTRAINT {} ").format(sql.Identifier(name)) + sql.SQL(definition)
            for name, definition in added
        )
        batch.execute(sql.SQL("ALTER TABLE {} ").format(sql.Identifier(table)) + clauses)
    batch.note("This was the first load: while it ran, nobody else could work with leads.")


def _taken_off(batch: Batch) -> dict[str, list[tuple[str, str]]]:
    """The keys per table, after they were dropped; nothing where this is no first big load.

    The locks are asked for without waiting: if anybody is at work, the load goes the usual way.
    """
    ((rows, leads),) = batch.fetch(
        "SELECT (SELECT count(*) FROM import_row), EXISTS (SELECT 1 FROM leads_lead)"
    )
    tables = batch.fetch(_TABLES, own=list(_OWN)) if rows >= LARGE and not leads else []
    if not tables or not all(owned for _, owned in tables):
        return {}
    keys: dict[str, list[tuple[str, str]]] = {}
    locked = {name for name, _ in tables}
    for table, name, definition, target in batch.fetch(_KEYS, tables=[name for name, _ in tables]):
        keys.setdefault(table, []).append((name, definition))
        locked.add(target)
    try:
        with transaction.atomic():
            names = sql.SQL(", ").join(sql.Identifier(name) for name in sorted(locked))
            batch.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE NOWAIT").format(names))
    except DatabaseError:
        return {}
    for table, dropped in keys.items():
        clauses = sql.SQL(", ").join(
            sql.SQL("DROP CONSTRAINT {}").format(sql.Identifier(name)) for name, _ in dropped
        )
        batch.execute(sql.SQL("ALTER TABLE {} ").format(sql.Identifier(table)) + clauses)
    return keys
