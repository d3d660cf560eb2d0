"""Leads as the API tells them: one prepared statement for a page, one row of plain values per lead.

The leads page shows other things and reads instances (``lead_list``); a program asks for many rows a
second, and instances of ten tables cost more than the answer.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import QuerySet

from funnel.domain.interest import Decay
from funnel.models import Handoff, LeadState, Qualification
from funnel.selectors import definitions
from smarketing.core.prepared import Query, Statement, given
from smarketing.users.models import User

_READ = Statement(
    "leads_told",
    """
SELECT st.lead_id, st.version, st.entered_at, s.code, u.id, u.name,
       l.version, l.lap, l.origin, l.landing_page, l.description, l.attributes::text, l.external_id,
       l.captured_at, l.closed_at, l.created_at, l.updated_at, so.code, ch.code, ca.id, ca.name,
       p.id, p.first_name, p.last_name, p.title, p.country,
       ARRAY(SELECT e.email FROM leads_personemail e WHERE e.person_id = p.id
              ORDER BY NOT e.is_primary, e.id),
       ARRAY(SELECT coalesce(nullif(n.e164, ''), n.written) FROM leads_personphone n
              WHERE n.person_id = p.id ORDER BY n.id),
       c.id, c.name, c.domain,
       sc.fit, sc.fit_band, sc.interest_band, sc.action, sc.qualified_at, i.key
  FROM funnel_leadstate st
  JOIN funnel_stage s ON s.id = st.stage_id
  JOIN leads_lead l ON l.id = st.lead_id
  JOIN leads_source so ON so.id = l.source_id
  JOIN leads_person p ON p.id = l.person_id
  LEFT JOIN users_user u ON u.id = st.owner_id
  LEFT JOIN leads_company c ON c.id = coalesce(l.company_id, p.company_id)
  LEFT JOIN leads_channel ch ON ch.id = l.channel_id
  LEFT JOIN leads_campaign ca ON ca.id = l.campaign_id
  LEFT JOIN funnel_leadscore sc ON sc.lead_id = l.id
  LEFT JOIN funnel_interest i ON i.person_id = p.id
 WHERE st.lead_id = ANY(%(leads)s::bigint[])
""",
)
_HAS_ENDS = Statement(
    "lead_has_ends",
    """
SELECT EXISTS (SELECT 1 FROM funnel_handoff WHERE lead_id = %(lead)s::bigint),
       EXISTS (SELECT 1 FROM funnel_qualification WHERE lead_id = %(lead)s::bigint)
""",
)
_LAST_HANDOFF = Query(
    "handoff_last_of_lead", lambda: Handoff.objects.filter(lead=given("lead")).order_by("-pk")[:1]
)
_QUALIFICATION = Query(
    "qualification_of_lead",
    lambda: Qualification.objects.select_related("recorded_by").filter(lead=given("lead")),
)


class Told(NamedTuple):
    """One lead, in the order of the statement's columns, and its interest at the instant asked for."""

    pk: int
    state_version: int
    entered_at: datetime
    stage: str
    owner_id: int | None
    owner_name: str
    lead_version: int
    lap: int
    origin: str
    landing_page: str
    description: str
    attributes_text: str
    external_id: str | None
    captured_at: datetime
    closed_at: datetime | None
    created_at: datetime
    updated_at: datetime
    source: str
    channel: str | None
    campaign_id: int | None
    campaign_name: str
    person_id: int
    first_name: str
    last_name: str
    title: str
    country: str
    emails: list[str]
    phones: list[str]
    company_id: int | None
    company_name: str
    company_domain: str
    fit: float | None
    fit_band: str
    interest_band: int
    action: str
    qualified_at: datetime | None
    interest: float

    @property
    def version(self) -> str:
        """A lead's ETag tells its own columns and where it stands: either changes it."""
        return f"{self.lead_version}.{self.state_version}"

    @property
    def attributes(self) -> dict[str, Any]:
        """The custom attributes."""
        return dict(json.loads(self.attributes_text))


def of_keys(keys: Sequence[int], *, at: datetime) -> list[Told]:
    """These leads in this order, with interest as it is at ``at``; who asks may see them already."""
    rows = {row[0]: row for row in _READ.rows(leads=list(keys))}
    shown = any(row[-1] is not None for row in rows.values())
    decay = definitions.decay_of(definitions.in_force()) if shown else None
    return [_told(rows[key], decay, at) for key in keys if key in rows]


def one(user: User, key: int, *, at: datetime) -> Told | None:
    """The lead with this key, if ``user`` may see it."""
    return next(iter(of_keys([key], at=at)), None) if _sees(LeadState.objects.visible_to(user), key) else None


def ends(key: int) -> tuple[Handoff | None, Qualification | None]:
    """The last handoff of a lead and what sales found out; most leads have neither."""
    ((has_handoff, is_qualified),) = _HAS_ENDS.rows(lead=key)
    last = _LAST_HANDOFF.first(lead=key) if has_handoff else None
    return last, _QUALIFICATION.first(lead=key) if is_qualified else None


def _sees(visible: QuerySet[LeadState], key: int) -> bool:
    """Whether the lead is among the visible ones; where nothing restricts them, nothing is asked."""
    return not visible.query.where or visible.filter(pk=key).exists()


def _told(row: tuple[Any, ...], decay: Decay | None, at: datetime) -> Told:
    return Told._make((*row[:-1], decay.score_of_key(row[-1], at) if decay else 0.0))
