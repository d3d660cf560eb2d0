"""Facts of the funnel for webhooks alone: ids and values, no notice to people.

What people are told, too, stands in ``notices``; the topics of both in ``topics``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from funnel.events import (
    HandoffExplained,
    HandoffReopened,
    LeadQualified,
    OpportunityMoved,
    OpportunityOpened,
    OwnerChanged,
    StageMoved,
)
from funnel.models import MoveCause, OpportunityStageKind
from smarketing.notifications.services import outbox

# Moves that another topic tells of.
_TOLD = frozenset(
    {
        MoveCause.CAPTURED,
        MoveCause.QUALIFIED,
        MoveCause.DELIVERED,
        MoveCause.ACCEPTED,
        MoveCause.RETURNED,
        MoveCause.EXPIRED,
        MoveCause.OPPORTUNITY,
        MoveCause.WON,
        MoveCause.LOST,
        MoveCause.IMPORTED,
    }
)


def qualified(*, fact: LeadQualified) -> None:
    """A lead met the definition."""
    told = {"definition_id": fact.definition_id, "qualified_at": fact.qualified_at.isoformat()}
    _put("lead.qualified", f"lead:{fact.lead_id}:qualified", fact.lead_id, fact.now, **told)


def moved(*, fact: StageMoved) -> None:
    """A lead moved in a way that no other topic tells."""
    if fact.cause in _TOLD:
        return
    _put(
        "lead.stage_moved",
        f"lead:{fact.lead_id}:moved:{fact.now.isoformat()}:{fact.to_stage}",
        fact.lead_id,
        fact.now,
        from_stage=fact.from_stage,
        to_stage=fact.to_stage,
        cause=fact.cause,
        actor_id=fact.actor_id,
        effective_at=fact.effective_at.isoformat(),
    )


def owner_changed(*, fact: OwnerChanged) -> None:
    """A lead went from one rep to another; the first owner comes with the delivery."""
    if fact.from_owner_id is None:
        return
    _put(
        "lead.owner_changed",
        f"lead:{fact.lead_id}:owner:{fact.now.isoformat()}",
        fact.lead_id,
        fact.now,
        from_owner_id=fact.from_owner_id,
        to_owner_id=fact.to_owner_id,
        reason=fact.reason,
        actor_id=fact.actor_id,
    )


def explained(*, fact: HandoffExplained) -> None:
    """A return has its explanation."""
    told = {"handoff_id": fact.handoff_id, "actor_id": fact.actor_id}
    key = f"handoff:{fact.handoff_id}:explained:{fact.now.isoformat()}"
    _put("handoff.explained", key, fact.lead_id, fact.now, **told)


def reopened(*, fact: HandoffReopened) -> None:
    """An answer was taken back: what a receiver heard of it holds no longer."""
    told = {"handoff_id": fact.handoff_id, "undone": fact.undone, "owner_id": fact.owner_id}
    key = f"handoff:{fact.handoff_id}:reopened:{fact.now.isoformat()}"
    _put("handoff.reopened", key, fact.lead_id, fact.now, **told, actor_id=fact.actor_id)


def opened(*, fact: OpportunityOpened) -> None:
    """A deal was opened."""
    told = {"opportunity_id": fact.opportunity_id, "opened_at": fact.opened_at.isoformat()}
    _put("opportunity.opened", f"opportunity:{fact.opportunity_id}:opened", fact.lead_id, fact.now, **told)


def deal_moved(*, fact: OpportunityMoved) -> None:
    """An open deal moved, also back from an end; won and lost have topics of their own."""
    if fact.kind != OpportunityStageKind.OPEN or fact.from_stage is None:
        return
    _put(
        "opportunity.moved",
        f"opportunity:{fact.opportunity_id}:moved:{fact.now.isoformat()}",
        fact.lead_id,
        fact.now,
        opportunity_id=fact.opportunity_id,
        from_stage=fact.from_stage,
        to_stage=fact.to_stage,
        amount=None if fact.amount is None else str(fact.amount),
        currency=fact.currency,
        actor_id=fact.actor_id,
    )


@transaction.atomic
def _put(topic: str, key: str, lead_id: int | None, now: datetime, **told: Any) -> None:
    outbox.put(topic=topic, payload={"lead_id": lead_id, **told}, dedupe_key=key, now=now)
