"""What the funnel does on facts of the leads app, in their transactions."""

from __future__ import annotations

from funnel.services import delivery, placing, scoring
from leads.events import EventsRecorded, LeadsCaptured, LeadsChanged


def place(fact: LeadsCaptured) -> None:
    """New leads get stage, owner and score; one that meets the definition is delivered."""
    placing.place_many(
        lead_ids=fact.lead_ids,
        stage_codes=dict(fact.stages),
        owner_ids=dict(fact.owners),
        actor_id=fact.actor_id,
        is_import=fact.is_import,
        now=fact.now,
    )


def score_again(fact: LeadsChanged) -> None:
    """Fit may differ now, and what the gate missed may be there."""
    scoring.refresh(lead_ids=fact.lead_ids, now=fact.now)
    delivery.retry_failed(lead_ids=list(fact.lead_ids), now=fact.now)


def add_interest(fact: EventsRecorded) -> None:
    """Each event adds to its person's interest, once."""
    scoring.apply_events(event_ids=fact.event_ids, now=fact.now)
