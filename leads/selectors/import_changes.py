"""Which records an import has brought up to date, and what of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from leads.models import Company, ImportBefore, ImportRun, Lead, Person
from smarketing.users.models import User

# Tables whose rows have a page, with what they are called.
TABLES: dict[str, str | Promise] = {
    "leads_person": gettext_lazy("People"),
    "leads_lead": gettext_lazy("Leads"),
    "leads_company": gettext_lazy("Companies"),
}
_MODELS: dict[str, Any] = {"leads_person": Person, "leads_lead": Lead, "leads_company": Company}
_MOST_SHOWN = 120  # characters of a value
# Columns that follow from others.
_DERIVED = frozenset({"search_text", "name_key", "created_at"})


@dataclass(frozen=True, slots=True)
class Difference:
    """One column: what it was and what it became; "" for both where only the fact is told."""

    label: str | Promise
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Changed:
    """One record that was brought up to date; ``url`` is "" for one that is gone since."""

    pk: int
    name: str
    url: str
    differences: list[Difference]


def of_run(run: ImportRun) -> QuerySet[ImportBefore]:
    """The rows that a run has changed, of the tables whose rows have a page."""
    return ImportBefore.objects.filter(run=run, table__in=list(TABLES))


def tables_of(run: ImportRun) -> list[str]:
    """In which of these tables it changed something, in their order; by the index of the run's rows."""
    return [table for table in TABLES if ImportBefore.objects.filter(run=run, table=table).exists()]


def dressed(user: User, rows: Sequence[ImportBefore]) -> list[Changed]:
    """The rows of one page with their records' names."""
    names: dict[tuple[str, int], tuple[str, str]] = {}
    for table in {row.table for row in rows}:
        names |= _named(user, table, [row.row_id for row in rows if row.table == table])
    return [_changed(row, *names.get((row.table, row.row_id), (_("Gone since"), ""))) for row in rows]


def _named(user: User, table: str, keys: Collection[int]) -> dict[tuple[str, int], tuple[str, str]]:
    if table == "leads_company":
        firms = Company.objects.visible_to(user).filter(pk__in=keys).values_list("pk", "name")
        return {(table, pk): (name, reverse("leads:company", args=[pk])) for pk, name in firms}
    if table == "leads_lead":
        leads = Lead.objects.visible_to(user).filter(pk__in=keys)
        told = leads.values_list("pk", "person__first_name", "person__last_name")
        return {(table, pk): (_called(a, b, pk), reverse("leads:lead", args=[pk])) for pk, a, b in told}
    people = Person.objects.visible_to(user).filter(pk__in=keys)
    named = people.values_list("pk", "first_name", "last_name")
    return {(table, pk): (_called(a, b, pk), reverse("leads:person", args=[pk])) for pk, a, b in named}


def _called(first: str, last: str, pk: int) -> str:
    return f"{first} {last}".strip() or str(pk)


def _changed(row: ImportBefore, name: str, url: str) -> Changed:
    fields = {field.column: field for field in _MODELS[row.table]._meta.concrete_fields}
    found = [
        _difference(fields[column], old, row.after.get(column))
        for column, old in sorted(row.before.items())
        if column in fields and column not in _DERIVED
    ]
    return Changed(row.row_id, name, url, found)


def _difference(field: Any, before: Any, after: Any) -> Difference:
    if field.is_relation or isinstance(before, dict | list) or isinstance(after, dict | list):
        return Difference(field.verbose_name, "", "")
    return Difference(field.verbose_name, _text(before), _text(after))


def _text(value: Any) -> str:
    return "–" if value in (None, "") else str(value)[:_MOST_SHOWN]


KINDS: dict[str, str] = {"person": "leads_person", "lead": "leads_lead", "company": "leads_company"}
_MADE = """
SELECT id FROM (SELECT unnest(ids) AS id FROM leads_importtrace WHERE run_id = %s AND "table" = %s) made
 WHERE id > %s ORDER BY id LIMIT %s
"""


def updated(*, run: ImportRun, kind: str, after: int, limit: int) -> list[dict[str, Any]]:
    """The next records of one kind that the run found and changed: key, columns before and after."""
    rows = of_run(run).filter(table=KINDS[kind], row_id__gt=after).order_by("row_id")[:limit]
    columns = {field.column for field in _MODELS[KINDS[kind]]._meta.concrete_fields} - _DERIVED
    return [
        {
            "id": row.row_id,
            "before": {name: value for name, value in row.before.items() if name in columns},
            "after": {name: value for name, value in row.after.items() if name in columns},
        }
        for row in rows
    ]


def created(*, run: ImportRun, kind: str, after: int, limit: int) -> list[dict[str, Any]]:
    """The next records of one kind that the run has made."""
    with connection.cursor() as cursor:
        cursor.execute(_MADE, [run.pk, KINDS[kind], after, limit])
        return [{"id": pk, "before": None, "after": None} for (pk,) in cursor.fetchall()]
