"""A page of the leads list: one prepared statement, one row of plain values per lead.

The page is found by ``lead_list``; instances of nine tables for what fifty rows show cost more than
writing them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from funnel.selectors import definitions
from smarketing.core.prepared import Statement
from smarketing.web.cells import Cell

_READ = Statement(
    "leads_listed",
    """
SELECT st.lead_id, btrim(p.first_name || ' ' || p.last_name), e.email, c.name, s.name, s.meaning, u.name,
       sc.fit, sc.fit_band, sc.interest_band, sc.action, l.origin, ch.name, l.captured_at,
       l.closed_at IS NULL, i.key
  FROM funnel_leadstate st
  JOIN funnel_stage s ON s.id = st.stage_id
  JOIN leads_lead l ON l.id = st.lead_id
  JOIN leads_person p ON p.id = l.person_id
  LEFT JOIN leads_personemail e ON e.person_id = p.id AND e.is_primary
  LEFT JOIN users_user u ON u.id = st.owner_id
  LEFT JOIN leads_company c ON c.id = coalesce(l.company_id, p.company_id)
  LEFT JOIN leads_channel ch ON ch.id = l.channel_id
  LEFT JOIN funnel_leadscore sc ON sc.lead_id = l.id
  LEFT JOIN funnel_interest i ON i.person_id = p.id
 WHERE st.lead_id = ANY(%(leads)s::bigint[])
""",
)


class LeadRow(NamedTuple):
    """What the list shows of one lead, in the order of the statement's columns.

    ``interest`` is in points at the instant asked for; ``cells`` are those of other apps.
    """

    pk: int
    person_name: str
    email: str | None
    company: str | None
    stage: str
    stage_meaning: str
    owner: str | None
    fit: float | None
    fit_band: str | None
    interest_band: int | None
    action: str | None
    origin: str
    channel: str | None
    captured_at: datetime
    is_open: bool
    interest: float
    cells: Sequence[Cell] = ()

    @property
    def name(self) -> str:
        """The person's name, else their e-mail address."""
        return self.person_name or self.email or ""


def of_keys(keys: Sequence[int], *, at: datetime) -> list[LeadRow]:
    """These leads in this order, with interest as it is at ``at``; who asks may see them already."""
    decay = definitions.decay_of(definitions.in_force())
    found = {}
    for *plain, key in _READ.rows(leads=list(keys)):
        row = LeadRow._make((*plain, decay.score_of_key(key, at), ()))
        found[row.pk] = row
    return [found[pk] for pk in keys if pk in found]
