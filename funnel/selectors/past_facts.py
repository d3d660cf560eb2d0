"""What was known of leads over time: the facts a definition is asked about, as they were (ADR 3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db.models import Model

from funnel.domain.fit import Facts
from funnel.domain.replay import FactsUntil
from funnel.selectors import facts
from leads.models import Company, Lead, Person
from smarketing.core.keysets import among

_PERSON = ("first_name", "last_name", "title", "language", "country", "city", "website", "attributes")
_COMPANY = (
    "name", "domain", "industry", "employees", "annual_revenue", "currency", "country", "city", "attributes",
)  # fmt: skip
# Made by the tracker of each model.
PERSON_HISTORY: type[Model] = apps.get_model("leads", "PersonHistory")
COMPANY_HISTORY: type[Model] = apps.get_model("leads", "CompanyHistory")
Former = tuple[datetime, dict[str, Any]]


def of_leads(lead_ids: Sequence[int]) -> dict[int, list[FactsUntil]]:
    """The facts of each lead, oldest first, the present ones last; five queries however many there are.

    Persons and companies have a history, a lead's own columns have none: those read as they are today.
    """
    present = facts.of_leads(lead_ids)
    rows = Lead.objects.filter(pk__in=among(lead_ids)).values_list(
        "pk", "person_id", "company_id", "person__company_id"
    )
    of_lead = {pk: (person, firm or employer) for pk, person, firm, employer in rows}
    persons = _former(Person, PERSON_HISTORY, _PERSON, {person for person, _firm in of_lead.values()})
    firms = _former(Company, COMPANY_HISTORY, _COMPANY, {firm for _person, firm in of_lead.values() if firm})
    return {
        pk: _over_time(known, persons.get(of_lead[pk][0], []), firms.get(of_lead[pk][1], []))
        for pk, known in present.items()
    }


def _former(
    model: type[Model], history: type[Model], names: Sequence[str], ids: set[Any]
) -> dict[Any, list[Former]]:
    """Per record its former rows as (until when it was true, values), oldest first."""
    columns = ("pgh_obj_id", "updated_at", *names)
    rows = history._base_manager.filter(pgh_obj_id__in=among(list(ids))).order_by("pgh_obj_id", "pgh_id")
    found: dict[Any, list[tuple[datetime, dict[str, Any]]]] = {}
    for key, since, *values in rows.values_list(*columns):
        found.setdefault(key, []).append((since, dict(zip(names, values, strict=True))))
    latest = dict(model._base_manager.filter(pk__in=among(list(found))).values_list("pk", "updated_at"))
    return {key: _until(former, latest[key]) for key, former in found.items() if key in latest}


def _until(former: Sequence[Former], latest: datetime) -> list[Former]:
    """Each row was true until its successor's beginning; the last one until the present row's."""
    ends = [since for since, _values in former[1:]] + [latest]
    return [(end, values) for end, (_since, values) in zip(ends, former, strict=True)]


def _over_time(present: Facts, persons: Sequence[Former], firms: Sequence[Former]) -> list[FactsUntil]:
    since = [_mapping(present[part]).get("customer_since") for part in ("person", "company")]
    if not persons and not firms and since == [None, None]:
        return [FactsUntil(present, None)]
    instants = sorted(
        {until for until, _values in (*persons, *firms)} | {at for at in since if at is not None}
    )
    parts = [FactsUntil(_as_of(present, persons, firms, until), until) for until in instants]
    return [*parts, FactsUntil(present, None)]


def _as_of(present: Facts, persons: Sequence[Former], firms: Sequence[Former], until: datetime) -> Facts:
    """The facts that were true just before ``until``."""
    person, firm = _then(persons, until), _then(firms, until)
    changed: dict[str, Any] = dict(present)
    if person is not None:
        name = f"{person['first_name']} {person['last_name']}".strip()
        changed["person"] = {**_mapping(present["person"]), **person, "name": name}
    if firm is not None and present["company"]:
        changed["company"] = {**_mapping(present["company"]), **firm}
    for part in ("person", "company"):
        since = _mapping(present[part]).get("customer_since")
        if since is not None:
            changed[part] = {**_mapping(changed[part]), "is_customer": since < until}
    lead = _mapping(present["lead"])
    changed["attributes"] = {
        **_mapping(_mapping(changed["company"]).get("attributes")),
        **_mapping(_mapping(changed["person"]).get("attributes")),
        **_mapping(lead.get("attributes")),
    }
    return changed


def _then(former: Sequence[Former], until: datetime) -> dict[str, Any] | None:
    return next((values for end, values in former if end >= until), None)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
