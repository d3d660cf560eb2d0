"""New people of a check who look like somebody who is here: told, never merged by an import."""

from __future__ import annotations

from typing import Any

from leads.models import Person
from leads.selectors import duplicates
from leads.services.imports.staging import Batch

# Each is looked up by itself; the finder compares all of them after the import.
LOOKED_AT = 200
_TOLD = 20


def of_new(*, batch: Batch, most: int) -> dict[str, Any]:
    """How many of the first ``most`` new persons look like a known one, and who they are."""
    rows = dict(
        batch.fetch(
            "SELECT person_id, row_no FROM import_target WHERE is_first ORDER BY row_no LIMIT %(most)s",
            most=most,
        )
    )
    made = {pk for (pk,) in batch.fetch("SELECT id FROM import_made WHERE made_in = 'leads_person'")}
    found: list[dict[str, Any]] = []
    people = Person.objects.filter(pk__in=rows).prefetch_related("emails", "phones")
    for person in sorted(people, key=lambda one: rows[one.pk]):
        known = [
            match
            for match in duplicates.like(duplicates.profile(person), but=[person.pk])
            if match.person.pk not in made
        ]
        if known:
            found.append(
                {
                    "row": rows[person.pk],
                    "name": person.name,
                    "person_id": known[0].person.pk,
                    "person_name": known[0].person.name,
                }
            )
    return {"looked_at": len(rows), "found": len(found), "people": found[:_TOLD]}
