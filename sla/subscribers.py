"""What the SLA app does on facts of leads and funnel, in their transaction."""

from __future__ import annotations

from funnel.events import (
    HandoffAccepted,
    HandoffDelivered,
    HandoffExpired,
    HandoffExplained,
    HandoffReopened,
    HandoffReturned,
    OwnerChanged,
    StageMoved,
)
from funnel.models import MoveCause
from leads.events import ActivityLogged
from sla.services import depths, outcomes, promises

ENDS = frozenset({"customer", "lost", "disqualified", "recycled", "merged"})


def start_clocks(fact: HandoffDelivered) -> None:
    """A delivery starts the clocks that the agreement in force promises."""
    promises.start_for_delivery(
        handoff_id=fact.handoff_id, owner_id=fact.owner_id, at=fact.delivered_at, now=fact.now
    )


def close_books_on_acceptance(fact: HandoffAccepted) -> None:
    """An acceptance stops nothing, but what was due before it comes first."""
    promises.before_answer(handoff_id=fact.handoff_id, at=fact.accepted_at, now=fact.now)


def cancel_on_return(fact: HandoffReturned) -> None:
    """A returned lead needs no response any more; a breach before the return stays."""
    promises.before_answer(handoff_id=fact.handoff_id, at=fact.returned_at, now=fact.now)
    outcomes.note_return(
        handoff_id=fact.handoff_id, at=fact.returned_at, actor_id=fact.actor_id, now=fact.now
    )
    promises.cancel_open(
        handoff_id=fact.handoff_id,
        at=fact.returned_at,
        actor_id=fact.actor_id,
        reason="returned",
        now=fact.now,
    )
    outcomes.ask_for_feedback(
        handoff_id=fact.handoff_id, owner_id=fact.owner_id, at=fact.returned_at, now=fact.now
    )


def stop_on_explanation(fact: HandoffExplained) -> None:
    """A return that is explained keeps the promise of feedback."""
    outcomes.note_explanation(
        handoff_id=fact.handoff_id, at=fact.explained_at, actor_id=fact.actor_id, now=fact.now
    )


def stop_on_outcome(fact: StageMoved) -> None:
    """A qualified lead, a deal or an end is an outcome; it comes before the end cancels what is left."""
    if fact.cause != MoveCause.RETURNED and fact.to_stage in outcomes.OUTCOME_STAGES:
        outcomes.note_stage(
            lead_id=fact.lead_id,
            stage=fact.to_stage,
            at=fact.effective_at,
            actor_id=fact.actor_id,
            now=fact.now,
        )


def cancel_on_expiry(fact: HandoffExpired) -> None:
    """An expired handoff is out of the rep's hands; its breach stays."""
    promises.cancel_open(
        handoff_id=fact.handoff_id, at=fact.expired_at, actor_id=None, reason="expired", now=fact.now
    )


def cancel_on_end_of_lap(fact: StageMoved) -> None:
    """A lead that has ended waits for nobody. A return says so itself, with its own reason."""
    if fact.to_stage in ENDS and fact.cause != MoveCause.RETURNED:
        promises.cancel_for_closed_lead(
            lead_id=fact.lead_id, at=fact.effective_at, actor_id=fact.actor_id, now=fact.now
        )


def reopen_after_merge(fact: StageMoved) -> None:
    """A lap that had ended by a merge goes on, and so does what it promised."""
    if fact.from_stage == "merged":
        promises.reopen_closed(lead_id=fact.lead_id, actor_id=fact.actor_id, now=fact.now)


def reopen_on_undo(fact: HandoffReopened) -> None:
    """The answer was taken back: a clock that it cancelled runs again."""
    promises.reopen_cancelled(handoff_id=fact.handoff_id, actor_id=fact.actor_id, now=fact.now)


def follow_owner(fact: OwnerChanged) -> None:
    """A lead that moves to another rep takes its clocks along; a breach stays with the former."""
    promises.follow_owner(
        lead_id=fact.lead_id, owner_id=fact.to_owner_id, actor_id=fact.actor_id, now=fact.now
    )


def stop_on_attempt(fact: ActivityLogged) -> None:
    """A human attempt to reach the person keeps the promise of a first response."""
    promises.note_activity(fact=fact)
    depths.note_activity(fact=fact)
