"""What was known of leads at their capture, as columns: the only things a prediction may rest on.

Persons and companies are read as they were at the instant of capture (their history keeps former values, ADR
3); behaviour counts only up to it. A lead's own attributes have no history: what sales writes there later is
held out by the guards of ``funnel.domain.traits``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from funnel.domain.traits import Value
from leads.domain.identities import is_free_mail
from leads.models import AttributeDefinition

CHUNK = 5000
_PERSON = ("country", "city", "language", "attributes")
_COMPANY = ("industry", "employees", "annual_revenue", "country", "attributes")


def _then(table: str, alias: str, names: Sequence[str]) -> str:
    """The oldest former row whose successor began after the capture: what was true then."""
    columns = ", ".join(f"h.{name}" for name in names)
    return f"""
  LEFT JOIN LATERAL (
        SELECT {columns}
          FROM (SELECT f.*, lead(f.updated_at) OVER (ORDER BY f.pgh_id) AS until
                  FROM {table} f WHERE f.pgh_obj_id = {alias}.id AND {alias}.updated_at > l.captured_at) h
         WHERE coalesce(h.until, {alias}.updated_at) > l.captured_at ORDER BY h.pgh_id LIMIT 1
       ) {alias}_then ON true"""  # noqa: S608 - names of tables and columns, written in this file


def _as_then(alias: str, names: Sequence[str]) -> str:
    """The former value where there is a former row (its country is never NULL), else the present one."""
    return ", ".join(
        f"CASE WHEN {alias}_then.country IS NOT NULL THEN {alias}_then.{name} ELSE {alias}.{name} END"
        for name in names
    )


_READ = f"""
SELECT l.id, l.captured_at, l.origin, l.lap, l.attributes, ch.code, ca.kind, so.code, e.email, c.id,
       {_as_then("p", _PERSON)}, {_as_then("c", _COMPANY)}
  FROM leads_lead l
  JOIN leads_person p ON p.id = l.person_id
  JOIN leads_source so ON so.id = l.source_id
  LEFT JOIN leads_company c ON c.id = coalesce(l.company_id, p.company_id)
  LEFT JOIN leads_channel ch ON ch.id = l.channel_id
  LEFT JOIN leads_campaign ca ON ca.id = l.campaign_id
  LEFT JOIN leads_personemail e ON e.person_id = p.id AND e.is_primary
  {_then("leads_personhistory", "p", _PERSON)}
  {_then("leads_companyhistory", "c", _COMPANY)}
 WHERE l.id = ANY(%s)
"""  # noqa: S608
_BEHAVIOUR = """
SELECT l.id, e.kind, count(*)
  FROM leads_lead l JOIN leads_event e ON e.person_id = l.person_id AND e.occurred_at <= l.captured_at
 WHERE l.id = ANY(%s) GROUP BY 1, 2
"""
_OUTCOMES = """
SELECT l.id, hw.code = 'customer'
  FROM leads_lead l
  JOIN funnel_leadstate st ON st.lead_id = l.id
  JOIN funnel_stage s ON s.id = st.stage_id
  JOIN funnel_stage hw ON hw.id = st.high_water_id
  JOIN leads_source so ON so.id = l.source_id
  LEFT JOIN leads_importrun r ON r.id = l.import_run_id
 WHERE (%(source)s = '' OR so.code = %(source)s)
   AND (hw.code = 'customer' OR s.code IN ('lost', 'disqualified') OR l.captured_at < %(mature)s
        OR EXISTS (SELECT 1 FROM jsonb_each_text(r.mapping) m
                    WHERE m.value IN ('is_customer', 'is_converted')))
 ORDER BY l.id
"""


@dataclass(frozen=True, slots=True)
class Known:
    """Columns over the same leads: ``lead_ids[i]`` was captured at ``captured_at[i]``."""

    lead_ids: tuple[int, ...]
    captured_at: tuple[datetime, ...]
    columns: dict[str, list[Value]]


def outcomes(*, source: str, mature: timedelta, now: datetime) -> list[tuple[int, bool]]:
    """Leads whose outcome is known, with whether they became customers.

    Known is: a customer; lost or disqualified; older than ``mature`` (time enough to become one); or told
    by the file it came from. The others are open: they say nothing yet.
    """
    with connection.cursor() as cursor:
        cursor.execute(_OUTCOMES, {"source": source, "mature": now - mature})
        return [(pk, bool(won)) for pk, won in cursor.fetchall()]


def known(lead_ids: Sequence[int]) -> Known:
    """What was known of these leads at their capture, in the order of their ids."""
    ordered = sorted(lead_ids)
    found: list[dict[str, Value]] = []
    ids: list[int] = []
    instants: list[datetime] = []
    for start in range(0, len(ordered), CHUNK):
        chunk = ordered[start : start + CHUNK]
        behaviour = _behaviour(chunk)
        with connection.cursor() as cursor:
            cursor.execute(_READ, [chunk])
            for row in sorted(cursor.fetchall()):
                ids.append(row[0])
                instants.append(row[1])
                found.append({**_facts(row), **behaviour.get(row[0], {})})
    keys = sorted({key for facts in found for key in facts})
    return Known(tuple(ids), tuple(instants), {key: [f.get(key) for f in found] for key in keys})


def labels(keys: Sequence[str]) -> dict[str, str]:
    """What people read for the keys of columns."""
    custom = {f"{d.subject}.{d.key}": d.label for d in AttributeDefinition.objects.all()}
    fixed = {
        "lead.origin": _("Origin"),
        "lead.lap": _("Lap"),
        "lead.channel": _("Channel"),
        "lead.campaign_kind": _("Kind of campaign"),
        "lead.source": _("Source"),
        "person.country": _("Country"),
        "person.city": _("City"),
        "person.language": _("Language"),
        "person.has_work_email": _("E-mail address of a company"),
        "company.is_known": _("Company known"),
        "company.industry": _("Industry"),
        "company.employees": _("Employees"),
        "company.annual_revenue": _("Annual revenue"),
        "company.country": _("Country of the company"),
        "behaviour.page": _("Pages seen before"),
        "behaviour.track": _("Actions before"),
        "behaviour.form": _("Forms sent before"),
        "behaviour.email_open": _("E-mails opened before"),
        "behaviour.email_click": _("E-mail links clicked before"),
        "behaviour.identify": _("Identified before"),
    }
    return {key: fixed.get(key) or custom.get(key) or key.partition(".")[2] for key in keys}


def marked() -> set[str]:
    """Keys of custom attributes that people marked as written after contact."""
    rows = AttributeDefinition.objects.filter(is_after_contact=True).values_list("subject", "key")
    return {f"{subject}.{key}" for subject, key in rows}


def _behaviour(lead_ids: Sequence[int]) -> dict[int, dict[str, Value]]:
    counts: dict[int, dict[str, Value]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_BEHAVIOUR, [list(lead_ids)])
        for pk, kind, count in cursor.fetchall():
            counts.setdefault(pk, {})[f"behaviour.{kind}"] = float(count)
    return counts


def _facts(row: tuple[Any, ...]) -> dict[str, Value]:
    _pk, _at, origin, lap, lead_attributes, channel, campaign, source, email, company, *rest = row
    person, firm = rest[: len(_PERSON)], rest[len(_PERSON) :]
    found: dict[str, Value] = {
        "lead.origin": origin,
        "lead.lap": float(lap),
        "lead.channel": channel,
        "lead.campaign_kind": campaign,
        "lead.source": source,
        "person.has_work_email": None if not email else _yes(not is_free_mail(email)),
        "company.is_known": _yes(company is not None),
    }
    for subject, names, values in (("person", _PERSON, person), ("company", _COMPANY, firm)):
        for name, value in zip(names[:-1], values[:-1], strict=True):
            found[f"{subject}.{name}"] = _value(value)
        found |= _attributes(subject, values[-1])
    return found | _attributes("lead", lead_attributes)


def _attributes(subject: str, text: Any) -> dict[str, Value]:
    told = json.loads(text) if isinstance(text, str) else text or {}
    return {f"{subject}.{key}": _value(value) for key, value in told.items()}


def _value(value: Any) -> Value:
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return _yes(value)
    if isinstance(value, str):
        return value
    return float(value)


def _yes(value: object) -> str:
    return "yes" if value else "no"
