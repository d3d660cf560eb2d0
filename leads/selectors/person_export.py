"""Everything known about a person, as JSON: each row of each table that leads to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from django.apps import apps
from django.db.models import ForeignKey, Model

from leads.models import Person

# Rows of one table; a person with more is told so.
MOST_ROWS = 100_000
_DEPTH = 4
_APPS = frozenset({"leads", "funnel", "sla", "reporting"})
# Not theirs to read: how we search and hash, and the key of what an erasure has still to find.
_ASIDE = frozenset({"search_text", "ip_hash", "digest", "render_id", "dedupe_key", "needles"})


def of_person(person: Person, *, now: datetime) -> dict[str, Any]:
    """``{"exported_at", "person": {…}, "records": {table: [rows]}, "cut": [tables]}``.

    Follows the foreign keys that lead to the person, from any app, so that a new table is included
    by itself.
    """
    records: dict[str, list[Mapping[str, Any]]] = {}
    cut: list[str] = []
    for model, column, ids in _reachable(person):
        rows = list(model._default_manager.filter(**{f"{column}__in": ids}).order_by("pk")[: MOST_ROWS + 1])
        label = model._meta.label_lower
        if len(rows) > MOST_ROWS:
            cut.append(label)
        seen = {row["id"] for row in records.get(label, []) if "id" in row}
        told = [_told(row) for row in rows[:MOST_ROWS]]
        records.setdefault(label, []).extend(
            row for row in told if row.get("id") not in seen or "id" not in row
        )
    return {
        "exported_at": now.isoformat(),
        "person": _told(person),
        "records": {label: rows for label, rows in sorted(records.items()) if rows},
        "cut": cut,
    }


def _reachable(person: Person) -> Iterator[tuple[type[Model], str, list[Any]]]:
    """(model, column, ids) for each way that leads from a table to the person."""
    found: list[tuple[type[Model], list[Any]]] = [(Person, [person.pk])]
    walked: set[type[Model]] = {Person}
    for _level in range(_DEPTH):
        following: list[tuple[type[Model], list[Any]]] = []
        for target, ids in found:
            for model, key in _pointing(target):
                yield model, key.name, ids
                if model not in walked and ids:
                    walked.add(model)
                    rows = model._default_manager.filter(**{f"{key.name}__in": ids})
                    following.append(
                        (model, list(rows.order_by("pk").values_list("pk", flat=True)[:MOST_ROWS]))
                    )
        found = following


def _pointing(target: type[Model]) -> list[tuple[type[Model], ForeignKey[Any, Any]]]:
    return [
        (model, field)
        for model in apps.get_models()
        if model._meta.app_label in _APPS
        for field in model._meta.concrete_fields
        if isinstance(field, ForeignKey) and field.related_model is target
    ]


def _told(row: Model) -> dict[str, Any]:
    values = {f.attname: f.value_from_object(row) for f in row._meta.concrete_fields}
    return {name: _plain(value) for name, value in values.items() if name not in _ASIDE}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if value is None or isinstance(value, str | int | float | bool | list | dict):
        return value
    return str(value)
