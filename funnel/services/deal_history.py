"""The past of imported deals: their ledger, dated as the file says, and where their leads came to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from funnel.events import OpportunitiesImported
from funnel.models import MoveCause, Opportunity, OpportunityStageKind
from funnel.services import lifecycle
from smarketing.core import events

CHUNK = 5000
# Deals without a ledger begin in the first column when they were opened, unless they stand there;
# deals whose stage differs from their last row move there. Both as of the dates of the deal.
_OPENED = """
INSERT INTO funnel_opportunitytransition
    (opportunity_id, seq, from_stage_id, to_stage_id, reason, actor_id, effective_at, recorded_at)
SELECT o.id, 1, NULL,
       CASE WHEN o.opened_at IS NULL THEN o.stage_id ELSE f.id END, 'imported', NULL,
       coalesce(o.opened_at, o.stage_entered_at), %(now)s
  FROM funnel_opportunity o,
       (SELECT id FROM funnel_opportunitystage WHERE kind = 'open' ORDER BY position, code LIMIT 1) f
 WHERE o.id = ANY(%(ids)s)
   AND NOT EXISTS (SELECT 1 FROM funnel_opportunitytransition t WHERE t.opportunity_id = o.id)
 ORDER BY o.id
"""
_MOVED = """
INSERT INTO funnel_opportunitytransition
    (opportunity_id, seq, from_stage_id, to_stage_id, reason, actor_id, effective_at, recorded_at)
SELECT o.id, t.seq + 1, t.to_stage_id, o.stage_id, 'imported', NULL,
       greatest(coalesce(o.closed_at, o.stage_entered_at), t.effective_at), %(now)s
  FROM funnel_opportunity o
  JOIN LATERAL (SELECT seq, to_stage_id, effective_at FROM funnel_opportunitytransition
                 WHERE opportunity_id = o.id ORDER BY seq DESC LIMIT 1) t ON true
 WHERE o.id = ANY(%(ids)s) AND t.to_stage_id <> o.stage_id
 ORDER BY o.id
"""


@transaction.atomic
def record(*, opportunity_ids: Sequence[int], now: datetime) -> None:
    """Write the ledger of deals that an import stored or changed, and move their leads along.

    Call it in the import's transaction after the rows are written. A lead becomes an opportunity when
    its first deal was opened, a customer when its first was won, and lost when the last was lost and
    none is open. Publishes :class:`OpportunitiesImported`.
    """
    if not opportunity_ids:
        return
    parameters: dict[str, Any] = {"ids": sorted(opportunity_ids), "now": now}
    with connection.cursor() as cursor:
        cursor.execute(_OPENED, parameters)
        cursor.execute(_MOVED, parameters)
    lead_ids = sorted(
        set(
            Opportunity.objects.filter(pk__in=opportunity_ids, lead__isnull=False).values_list(
                "lead_id", flat=True
            )
        )
    )
    _follow(lead_ids, now=now)
    events.publish(
        OpportunitiesImported(opportunity_ids=tuple(parameters["ids"]), lead_ids=tuple(lead_ids), now=now)
    )


def _follow(lead_ids: Sequence[int], *, now: datetime) -> None:
    """Take the leads along, some thousand at a time."""
    for start in range(0, len(lead_ids), CHUNK):
        deals: dict[int, list[Opportunity]] = {}
        chunk = lead_ids[start : start + CHUNK]
        known = Opportunity.objects.filter(lead_id__in=chunk).select_related("stage").order_by("pk")
        for deal in known:
            if deal.lead_id is not None:
                deals.setdefault(deal.lead_id, []).append(deal)
        roads = {lead_id: _road(of_lead) for lead_id, of_lead in deals.items()}
        lifecycle.move_many(roads=roads, cause=MoveCause.IMPORTED, now=now)


def _road(deals: Sequence[Opportunity]) -> list[tuple[str, datetime]]:
    """Where the deals take their lead, and when."""
    opened = [deal.opened_at or deal.stage_entered_at for deal in deals]
    road = [("opportunity", min(opened))]
    won = [d.closed_at or d.stage_entered_at for d in deals if d.stage.kind == OpportunityStageKind.WON]
    lost = [d.closed_at or d.stage_entered_at for d in deals if d.stage.kind == OpportunityStageKind.LOST]
    if won:
        road.append(("customer", min(won)))
    elif len(lost) == len(deals):
        road.append(("lost", max(lost)))
    return road
