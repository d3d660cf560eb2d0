"""The one writer of journeys: refreshed for some leads, or rebuilt for all, by the same statement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.db import transaction

from leads.models import Lead
from smarketing.core.prepared import Statement

CHUNK = 20_000

# For each lead: the first instant it reached each stage (ledger), what became of its handoffs, its
# first human attempt after delivery, its first breach that was not voided, and its deals. A deal
# that was won and then moved back counts as it stands now, because deals are read from their table.
_REFRESH = Statement(
    "journeys_refresh",
    """
INSERT INTO reporting_journey (
  lead_id, person_id, company_id, source_id, channel_id, campaign_id, origin, owner_id, captured_at,
  mql_at, delivered_at, first_touch_at, accepted_at, returned_at, expired_at, breached_at,
  sql_at, opportunity_at, won_at, lost_at)
SELECT
  l.id, l.person_id, l.company_id, l.source_id, l.channel_id, l.campaign_id, l.origin, st.owner_id,
  l.captured_at, t.mql_at, h.delivered_at, a.first_touch_at, h.accepted_at, h.returned_at, h.expired_at,
  c.breached_at, t.sql_at, t.opportunity_at,
  coalesce(o.won_at, CASE WHEN o.deals = 0 AND sg.code = 'customer' THEN t.customer_at END),
  CASE WHEN o.deals = 0 AND sg.code = 'lost' THEN t.lost_at
       WHEN o.won_at IS NULL AND NOT o.is_open THEN o.lost_at END
FROM leads_lead l
JOIN funnel_leadstate st ON st.lead_id = l.id
JOIN funnel_stage sg ON sg.id = st.stage_id
LEFT JOIN LATERAL (
  SELECT min(x.effective_at) FILTER (WHERE s.code = 'mql') AS mql_at,
         min(x.effective_at) FILTER (WHERE s.code = 'sql') AS sql_at,
         min(x.effective_at) FILTER (WHERE s.code = 'opportunity') AS opportunity_at,
         min(x.effective_at) FILTER (WHERE s.code = 'customer') AS customer_at,
         max(x.effective_at) FILTER (WHERE s.code = 'lost') AS lost_at
  FROM funnel_stagetransition x JOIN funnel_stage s ON s.id = x.to_stage_id
  WHERE x.lead_id = l.id) t ON true
LEFT JOIN LATERAL (
  SELECT min(f.delivered_at) AS delivered_at,
         min(f.answered_at) FILTER (WHERE f.state = 'accepted') AS accepted_at,
         min(f.answered_at) FILTER (WHERE f.state IN ('returned', 'upheld', 'overturned')) AS returned_at,
         min(f.answered_at) FILTER (WHERE f.state = 'expired') AS expired_at
  FROM funnel_handoff f WHERE f.lead_id = l.id) h ON true
LEFT JOIN LATERAL (
  SELECT min(v.occurred_at) AS first_touch_at
  FROM leads_activity v
  WHERE v.person_id = l.person_id AND v.lead_id = l.id AND NOT v.is_automated
    AND v.direction = 'outbound' AND v.kind IN ('call', 'mail', 'meeting')
    AND v.occurred_at >= h.delivered_at) a ON true
LEFT JOIN LATERAL (
  SELECT min(e.due_at) AS breached_at
  FROM funnel_handoff f
  JOIN sla_clock k ON k.handoff_id = f.id AND k.kind = 'respond'
  JOIN sla_clockevent e ON e.clock_id = k.id
  WHERE f.lead_id = l.id AND e.kind = 'breach' AND e.voided_at IS NULL) c ON true
LEFT JOIN LATERAL (
  SELECT count(*) AS deals,
         coalesce(bool_or(s.kind = 'open'), false) AS is_open,
         min(d.closed_at) FILTER (WHERE s.kind = 'won') AS won_at,
         max(d.closed_at) FILTER (WHERE s.kind = 'lost') AS lost_at
  FROM funnel_opportunity d JOIN funnel_opportunitystage s ON s.id = d.stage_id
  WHERE d.lead_id = l.id) o ON true
WHERE l.id = ANY(%(leads)s::bigint[])
ON CONFLICT (lead_id) DO UPDATE SET
  person_id = excluded.person_id, company_id = excluded.company_id, source_id = excluded.source_id,
  channel_id = excluded.channel_id, campaign_id = excluded.campaign_id, origin = excluded.origin,
  owner_id = excluded.owner_id, captured_at = excluded.captured_at, mql_at = excluded.mql_at,
  delivered_at = excluded.delivered_at, first_touch_at = excluded.first_touch_at,
  accepted_at = excluded.accepted_at, returned_at = excluded.returned_at, expired_at = excluded.expired_at,
  breached_at = excluded.breached_at, sql_at = excluded.sql_at, opportunity_at = excluded.opportunity_at,
  won_at = excluded.won_at, lost_at = excluded.lost_at
WHERE reporting_journey.* IS DISTINCT FROM excluded.*
""",
    by="leads",
)


# A breach moves one column, so a sweep that finds hundreds need not read their whole stories again. Rows
# are locked in key order, as a refresh takes them.
_NOTE_BREACHES = Statement(
    "journeys_note_breaches",
    """
WITH broken AS (
  SELECT h.lead_id, min(b.at) AS at
    FROM unnest(%(handoffs)s::bigint[], %(instants)s::timestamptz[]) b (handoff_id, at)
    JOIN funnel_handoff h ON h.id = b.handoff_id
   GROUP BY h.lead_id
), later AS (
  SELECT j.lead_id, broken.at FROM broken JOIN reporting_journey j ON j.lead_id = broken.lead_id
   WHERE j.breached_at IS NULL OR j.breached_at > broken.at
   ORDER BY j.lead_id FOR NO KEY UPDATE OF j
)
UPDATE reporting_journey j SET breached_at = later.at FROM later WHERE j.lead_id = later.lead_id
""",
    by="handoffs",
)


# Within the transaction of the fact that is followed; it refuses nothing, so it needs no savepoint.
@transaction.atomic(savepoint=False)
def refresh(*, lead_ids: Iterable[int]) -> int:
    """Bring the journeys of these leads up to date; returns how many rows were new or changed.

    Leads are taken in key order, so that two refreshes never wait for each other in a circle.
    """
    ids = sorted(set(lead_ids))
    return sum(_REFRESH.count(leads=ids[start : start + CHUNK]) for start in range(0, len(ids), CHUNK))


@transaction.atomic(savepoint=False)
def note_breaches(*, broken: Mapping[int, datetime]) -> int:
    """The first response of these handoffs is overdue since the instants given; returns the rows changed.

    Gives what :func:`refresh` would, for less.
    """
    return _NOTE_BREACHES.count(handoffs=list(broken), instants=list(broken.values()))


def rebuild() -> int:
    """Refresh every lead, a chunk a transaction; returns how many rows were wrong or missing."""
    changed, last = 0, 0
    while ids := _next_ids(last):
        changed += refresh(lead_ids=ids)
        last = ids[-1]
    return changed


def _next_ids(after: int) -> Sequence[int]:
    return list(Lead.objects.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:CHUNK])
