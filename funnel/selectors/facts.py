"""What a definition is asked about: the attributes of leads, their persons and companies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import F
from django.db.models.functions import Coalesce

from funnel.domain.fit import Facts
from leads.domain.identities import is_free_mail
from leads.models import Company, Lead, PersonEmail, PersonPhone

_PERSON = ("first_name", "last_name", "title", "language", "country", "city", "website", "attributes")
_LEAD = ("origin", "landing_page", "description", "attributes", "lap")
_COMPANY = (
    "name", "domain", "industry", "employees", "annual_revenue", "currency", "country", "city", "attributes",
)  # fmt: skip


def of_leads(lead_ids: Sequence[int]) -> dict[int, Facts]:
    """The facts of each lead, in four queries however many there are."""
    rows = (
        Lead.objects.filter(pk__in=lead_ids)
        .annotate(company_key=Coalesce("company_id", "person__company_id"), channel_code=F("channel__code"))
        .annotate(campaign_name=F("campaign__name"), source_code=F("source__code"))
        .values(
            "pk", "person_id", "company_key", "channel_code", "campaign_name", "source_code",
            *_LEAD, *(f"person__{name}" for name in _PERSON),
        )
    )  # fmt: skip
    rows = list(rows)
    people = {row["person_id"] for row in rows}
    emails = dict(
        PersonEmail.objects.filter(person_id__in=people, is_primary=True).values_list("person_id", "email")
    )
    phones = dict(
        PersonPhone.objects.filter(person_id__in=people).order_by("-pk").values_list("person_id", "written")
    )
    companies = {
        row["pk"]: row
        for row in Company.objects.filter(pk__in={r["company_key"] for r in rows} - {None}).values(
            "pk", *_COMPANY
        )
    }
    return {
        row["pk"]: _facts(
            row, emails.get(row["person_id"]), phones.get(row["person_id"]), companies.get(row["company_key"])
        )
        for row in rows
    }


def _facts(
    row: dict[str, Any], email: str | None, phone: str | None, company: dict[str, Any] | None
) -> Facts:
    person: dict[str, Any] = {name: row[f"person__{name}"] for name in _PERSON}
    person["name"] = f"{person['first_name']} {person['last_name']}".strip()
    person["email"], person["phone"] = email, phone
    person["has_work_email"] = not is_free_mail(email) if email else None
    person["do_not_contact"] = (person["attributes"] or {}).get("do_not_contact")
    lead: dict[str, Any] = {name: row[name] for name in _LEAD}
    lead.update(channel=row["channel_code"], campaign=row["campaign_name"], source=row["source_code"])
    firm = {name: company[name] for name in _COMPANY} if company else {}
    attributes = {
        **(firm.get("attributes") or {}), **(person["attributes"] or {}), **(lead["attributes"] or {}),
    }  # fmt: skip
    return {"person": person, "company": firm, "lead": lead, "attributes": attributes}
