"""Deals whose import was taken back: the moves they had caused go, and their leads stand as before.

Only what came with that import is taken out of a ledger, and only where nothing has happened after it.
"""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction

from funnel.events import MovesWithdrawn
from funnel.selectors import stages
from funnel.services import lifecycle
from leads.models import Lead
from leads.services import leads as laps
from smarketing.core import events, triggers

# Leads that the deals of the import had taken along: their last rows are all its own, the first is not.
_LEADS = """
SELECT o.lead_id, o.first_seq FROM (
       SELECT lead_id, min(seq) AS first_seq FROM funnel_stagetransition
        WHERE cause = 'imported' AND recorded_at = %(at)s GROUP BY lead_id HAVING min(seq) > 1) o
 WHERE NOT EXISTS (SELECT 1 FROM funnel_stagetransition t WHERE t.lead_id = o.lead_id
                     AND t.seq > o.first_seq AND (t.cause <> 'imported' OR t.recorded_at <> %(at)s))
   AND NOT EXISTS (SELECT 1 FROM funnel_opportunity d
                    WHERE d.lead_id = o.lead_id AND d.created_at = %(at)s)
 ORDER BY 1
"""
_CUT = """
DELETE FROM funnel_stagetransition t USING unnest(%(leads)s::bigint[], %(seqs)s::int[]) AS w(lead_id, seq)
 WHERE t.lead_id = w.lead_id AND t.seq >= w.seq
"""
_BACK = """
UPDATE funnel_leadstate s SET stage_id = t.to_stage_id, entered_at = t.effective_at, seq = t.seq,
       high_water_id = w.high_id, version = s.version + 1
  FROM unnest(%(leads)s::bigint[], %(highs)s::bigint[]) AS w(lead_id, high_id)
  JOIN LATERAL (SELECT seq, to_stage_id, effective_at FROM funnel_stagetransition
                 WHERE lead_id = w.lead_id ORDER BY seq DESC LIMIT 1) t ON true
 WHERE s.lead_id = w.lead_id
"""
_REACHED = """
SELECT t.lead_id, array_agg(g.code ORDER BY t.seq) FROM funnel_stagetransition t
  JOIN funnel_stage g ON g.id = t.to_stage_id WHERE t.lead_id = ANY(%(leads)s) GROUP BY t.lead_id
"""
# A deal that stays stands where its ledger ended before the import.
_DEALS = """
DELETE FROM funnel_opportunitytransition t USING funnel_opportunity o
 WHERE t.opportunity_id = o.id AND t.reason = 'imported' AND t.recorded_at = %(at)s AND o.created_at <> %(at)s
   AND o.stage_id = (SELECT p.to_stage_id FROM funnel_opportunitytransition p
                      WHERE p.opportunity_id = o.id AND p.recorded_at <> %(at)s ORDER BY p.seq DESC LIMIT 1)
   AND NOT EXISTS (SELECT 1 FROM funnel_opportunitytransition n
                    WHERE n.opportunity_id = o.id AND n.seq > t.seq AND n.recorded_at <> %(at)s)
"""


@transaction.atomic
def withdraw(*, at: datetime, now: datetime) -> tuple[int, ...]:
    """Take the moves of the import of ``at`` back; the leads that stand elsewhere for it.

    Call it when its deals are gone. Publishes :class:`MovesWithdrawn`.
    """
    with triggers.opened(), connection.cursor() as cursor:
        cursor.execute(_DEALS, {"at": at})
        cursor.execute(_LEADS, {"at": at})
        found: list[tuple[int, int]] = cursor.fetchall()
        leads = [lead for lead, _ in found]
        if not leads:
            return ()
        lifecycle.lock(lead_ids=leads)
        cursor.execute(_CUT, {"leads": leads, "seqs": [seq for _, seq in found]})
        cursor.execute(_REACHED, {"leads": leads})
        reached: dict[int, list[str]] = dict(cursor.fetchall())
        known, ladder = stages.road()
        highs = [known[ladder.furthest(*reached[lead]) or reached[lead][-1]].pk for lead in leads]
        cursor.execute(_BACK, {"leads": leads, "highs": highs})
    _reopen([lead for lead in leads if reached[lead][-1] not in lifecycle.ENDS], now)
    events.publish(MovesWithdrawn(lead_ids=tuple(leads), now=now))
    return tuple(leads)


def _reopen(lead_ids: list[int], now: datetime) -> None:
    """Laps that had ended with their deal are open again, unless a later lap has begun."""
    for lead in Lead.objects.filter(pk__in=lead_ids, closed_at__isnull=False).order_by("pk"):
        try:
            laps.reopen(lead=lead, now=now)
        except laps.LaterLap:
            continue
