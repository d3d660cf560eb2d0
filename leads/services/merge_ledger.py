"""Moving the rows of one record to another, each written down, and putting them back.

Every table that refers to the record follows by itself, whichever app it belongs to, so a new table
needs nothing. A model says ``follows_merges = False`` where its rows are a projection that its app
computes anew on the fact, or say what happened to the two records themselves. A row that the survivor
has already (by a unique constraint) stays behind with the record that went.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pghistory.models
from django.apps import apps
from django.db import connection, models
from psycopg2 import sql

from leads.models import Company, Lead, Merge, Person, PersonEmail, PersonPhone

# These have rules of their own (laps are numbered, one address is the main one, numbers repeat).
_OWN_RULES = frozenset(m._meta.db_table for m in (Lead, PersonEmail, PersonPhone))
_MOVE = """
WITH moving AS (
    SELECT t.{pk} AS pk FROM {table} t WHERE t.{column} = %(old)s {unless} FOR UPDATE
), kept AS (
    INSERT INTO leads_mergedrow (merge_id, table_name, row_key, before)
    SELECT %(merge)s, {name}, pk::text, jsonb_build_object({key}, %(old)s::bigint) FROM moving
    ON CONFLICT (merge_id, table_name, row_key)
    DO UPDATE SET before = excluded.before || leads_mergedrow.before
)
UPDATE {table} t SET {column} = %(new)s FROM moving WHERE t.{pk} = moving.pk
"""
_UNLESS = "AND NOT EXISTS (SELECT 1 FROM {table} o WHERE o.{column} = %(new)s{same})"
_KEEP = """
INSERT INTO leads_mergedrow (merge_id, table_name, row_key, before)
SELECT %(merge)s, {name}, t.{pk}::text, jsonb_build_object({pairs})
  FROM {table} t WHERE t.{pk} = ANY(%(keys)s)
ON CONFLICT (merge_id, table_name, row_key)
DO UPDATE SET before = excluded.before || leads_mergedrow.before
"""
_MADE = """
INSERT INTO leads_mergedrow (merge_id, table_name, row_key, before)
SELECT %(merge)s, {name}, k::text, NULL FROM unnest(%(keys)s) k ON CONFLICT DO NOTHING
"""
_SHAPES = """
SELECT table_name, (SELECT array_agg(k ORDER BY k) FROM jsonb_object_keys(before) k)
  FROM leads_mergedrow WHERE merge_id = %(merge)s AND before IS NOT NULL AND table_name <> ALL(%(apart)s)
 GROUP BY 1, 2 ORDER BY 1, 2
"""
_RESTORE = """
UPDATE {table} t SET {columns} FROM leads_mergedrow m
 WHERE m.merge_id = %(merge)s AND m.table_name = {name} AND t.{pk} = m.row_key::{type}
   AND (SELECT array_agg(k ORDER BY k) FROM jsonb_object_keys(m.before) k) = %(shape)s
"""
_UNMAKE = """
DELETE FROM {table} t USING leads_mergedrow m
 WHERE m.merge_id = %(merge)s AND m.table_name = {name} AND m.before IS NULL AND t.{pk} = m.row_key::{type}
"""


@dataclass(frozen=True, slots=True)
class Relation:
    """A column that refers to the record, and the other columns of each unique constraint it is in."""

    model: type[models.Model]
    column: str
    unique_with: tuple[tuple[str, ...], ...]

    @property
    def table(self) -> str:
        """The name of the table."""
        return self.model._meta.db_table


def relations(*, model: type[Person] | type[Company]) -> Iterator[Relation]:
    """Every column that refers to ``model`` and follows a merge, by table."""
    found = []
    for reverse in model._meta.get_fields(include_hidden=True):
        if not reverse.auto_created or reverse.concrete or not (reverse.one_to_many or reverse.one_to_one):
            continue
        referring = reverse.related_model
        field = reverse.field  # type: ignore[union-attr]
        if (
            not isinstance(referring, type)
            or issubclass(referring, pghistory.models.Event)
            or not getattr(referring, "follows_merges", True)
            or field.name == "merged_into"
            or (model is Person and referring._meta.db_table in _OWN_RULES)
        ):
            continue
        found.append(Relation(referring, str(field.column), _unique_with(referring, field)))
    yield from sorted(found, key=lambda r: (r.table, r.column))


def _unique_with(model: type[models.Model], field: Any) -> tuple[tuple[str, ...], ...]:
    groups = [()] if field.unique else []
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.UniqueConstraint) and field.name in constraint.fields:
            names = [name for name in constraint.fields if name != field.name]
            groups.append(tuple(model._meta.get_field(name).column for name in names))  # type: ignore[union-attr,arg-type]
    return tuple(groups)


def move(*, merge: Merge, relation: Relation, old: int, new: int) -> int:
    """Give the rows of ``old`` to ``new``, written down; returns how many went."""
    unless: list[sql.Composable] = [
        sql.SQL(_UNLESS).format(
            table=sql.Identifier(relation.table),
            column=sql.Identifier(relation.column),
            same=sql.SQL("").join(
                sql.SQL(" AND o.{0} IS NOT DISTINCT FROM t.{0}").format(sql.Identifier(other))
                for other in others
            ),
        )
        for others in relation.unique_with
    ]
    if relation.model is Company:
        unless.append(sql.SQL("AND t.id <> %(new)s"))
    statement = sql.SQL(_MOVE).format(
        **_named(relation.model),
        column=sql.Identifier(relation.column),
        key=sql.Literal(relation.column),
        unless=sql.SQL(" ").join(unless),
    )
    return _run(statement, merge=merge.pk, old=old, new=new)


def keep(*, merge: Merge, model: type[models.Model], keys: Iterable[Any], columns: Sequence[str]) -> int:
    """Write down how ``columns`` of these rows read, before they are changed."""
    pairs = [sql.SQL("{}, t.{}").format(sql.Literal(column), sql.Identifier(column)) for column in columns]
    statement = sql.SQL(_KEEP).format(**_named(model), pairs=sql.SQL(", ").join(pairs))
    return _run(statement, merge=merge.pk, keys=list(keys))


def made(*, merge: Merge, model: type[models.Model], keys: Iterable[int]) -> int:
    """Write down that the merge made these rows: undoing it takes them away."""
    return _run(sql.SQL(_MADE).format(**_named(model)), merge=merge.pk, keys=list(keys))


def restore(*, merge: Merge, apart: Iterable[str] = ()) -> None:
    """Put every row back as it was and take away what the merge made; the caller sees to ``apart``."""
    left_out = sorted(apart)
    with connection.cursor() as cursor:
        cursor.execute(_SHAPES, {"merge": merge.pk, "apart": left_out})
        shapes = cursor.fetchall()
    known = {model._meta.db_table: model for model in apps.get_models()}
    for table, columns in shapes:
        values = [
            sql.SQL("{0} = (jsonb_populate_record(NULL::{1}, m.before)).{0}").format(
                sql.Identifier(column), sql.Identifier(table)
            )
            for column in columns
        ]
        statement = sql.SQL(_RESTORE).format(**_named(known[str(table)]), columns=sql.SQL(", ").join(values))
        _run(statement, merge=merge.pk, shape=columns)
    new_rows = merge.rows.filter(before__isnull=True).order_by()
    for table in new_rows.values_list("table_name", flat=True).distinct():
        _run(sql.SQL(_UNMAKE).format(**_named(known[str(table)])), merge=merge.pk)


def rows_of(*, merge: Merge, model: type[models.Model]) -> dict[int, dict[str, Any]]:
    """What was written down of one table with whole-number keys."""
    found = merge.rows.filter(table_name=model._meta.db_table, before__isnull=False)
    return {int(key): dict(before or {}) for key, before in found.values_list("row_key", "before")}


def _named(model: type[models.Model]) -> dict[str, sql.Composable]:
    pk = model._meta.pk
    return {
        "table": sql.Identifier(model._meta.db_table),
        "name": sql.Literal(model._meta.db_table),
        "pk": sql.Identifier(str(pk.column)),
        "type": sql.SQL("uuid" if isinstance(pk, models.UUIDField) else "bigint"),
    }


def _run(statement: sql.Composed, **given: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        return int(cursor.rowcount)
