"""What a definition is asked about: the attributes of leads, their persons and companies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from funnel.domain.fit import Facts
from leads.domain.identities import is_free_mail
from smarketing.core.prepared import Statement

_PERSON = ("first_name", "last_name", "title", "language", "country", "city", "website", "attributes")
_LEAD = ("origin", "landing_page", "description", "lap", "attributes")
_COMPANY = (
    "name", "domain", "industry", "employees", "annual_revenue", "currency", "country", "city", "attributes",
)  # fmt: skip
_EXTRA = (
    "channel", "campaign", "source", "email", "phone", "company_id", "person_since", "company_since",
)  # fmt: skip
# Since when somebody is a customer by another lead's deal; a lead's own deal says nothing about itself.
_SINCE = """(SELECT min(o.closed_at)
           FROM funnel_opportunity o JOIN funnel_opportunitystage os ON os.id = o.stage_id
          WHERE {owner} AND os.kind = 'won' AND o.lead_id IS DISTINCT FROM l.id)"""
_READ = Statement(
    "facts_of_leads",
    f"""
SELECT l.id, {", ".join(f"l.{name}" for name in _LEAD)}, {", ".join(f"p.{name}" for name in _PERSON)},
       {", ".join(f"c.{name}" for name in _COMPANY)},
       ch.code, ca.name, so.code, e.email, ph.written, c.id,
       {_SINCE.format(owner="o.person_id = p.id")}, {_SINCE.format(owner="o.company_id = c.id")}
  FROM leads_lead l
  JOIN leads_person p ON p.id = l.person_id
  JOIN leads_source so ON so.id = l.source_id
  LEFT JOIN leads_company c ON c.id = coalesce(l.company_id, p.company_id)
  LEFT JOIN leads_channel ch ON ch.id = l.channel_id
  LEFT JOIN leads_campaign ca ON ca.id = l.campaign_id
  LEFT JOIN leads_personemail e ON e.person_id = p.id AND e.is_primary
  LEFT JOIN LATERAL (SELECT written FROM leads_personphone WHERE person_id = p.id ORDER BY id LIMIT 1) ph
    ON true
 WHERE l.id = ANY(%(leads)s::bigint[])
""",  # noqa: S608 - names of columns, written above
    by="leads",
)


def of_leads(lead_ids: Sequence[int]) -> dict[int, Facts]:
    """The facts of each lead, in one query however many there are."""
    return {row[0]: _facts(row[1:]) for row in _READ.rows(leads=list(lead_ids))}


def _facts(row: tuple[Any, ...]) -> Facts:
    here, there = len(_LEAD), len(_LEAD) + len(_PERSON)
    lead = dict(zip(_LEAD, row[:here], strict=True))
    person = dict(zip(_PERSON, row[here:there], strict=True))
    company = dict(zip(_COMPANY, row[there : there + len(_COMPANY)], strict=True))
    extra = dict(zip(_EXTRA, row[there + len(_COMPANY) :], strict=True))
    email = extra["email"]
    for part in (lead, person, company):
        part["attributes"] = _parsed(part["attributes"])
    person["name"] = f"{person['first_name']} {person['last_name']}".strip()
    person["email"], person["phone"] = email, extra["phone"]
    person["has_work_email"] = not is_free_mail(email) if email else None
    person["email_domain"] = email.rpartition("@")[2] if email else None
    person["do_not_contact"] = person["attributes"].get("do_not_contact")
    lead["channel"], lead["campaign"], lead["source"] = extra["channel"], extra["campaign"], extra["source"]
    for part, since in ((person, extra["person_since"]), (company, extra["company_since"])):
        part["customer_since"], part["is_customer"] = since, since is not None
    attributes = {**company["attributes"], **person["attributes"], **lead["attributes"]}
    firm = company if extra["company_id"] is not None else {}
    return {"person": person, "company": firm, "lead": lead, "attributes": attributes}


def _parsed(text: str | None) -> dict[str, Any]:
    """The driver hands JSON over as text."""
    return json.loads(text) if text and text != "{}" else {}
