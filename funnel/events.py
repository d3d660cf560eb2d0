"""Facts that the funnel app publishes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from smarketing.core.events import Fact


@dataclass(frozen=True, slots=True)
class StageMoved(Fact):
    """A lead moved; skipped stages are told by their own transitions, not by own facts."""

    lead_id: int
    from_stage: str | None
    to_stage: str
    cause: str
    reason: str
    actor_id: int | None
    effective_at: datetime
    now: datetime


@dataclass(frozen=True, slots=True)
class LeadsPlaced(Fact):
    """Freshly captured leads got their first stage, state row and score, set-based."""

    lead_ids: tuple[int, ...]
    is_import: bool
    now: datetime


@dataclass(frozen=True, slots=True)
class OwnerChanged(Fact):
    """A lead has another owner."""

    lead_id: int
    from_owner_id: int | None
    to_owner_id: int | None
    reason: str
    actor_id: int | None
    now: datetime


@dataclass(frozen=True, slots=True)
class LeadQualified(Fact):
    """A lead met the definition for the first time in its lap (became an MQL)."""

    lead_id: int
    definition_id: int
    qualified_at: datetime
    now: datetime


@dataclass(frozen=True, slots=True)
class LeadReturned(Fact):
    """A lead came back from nurture; ``next_lead_id`` goes on: itself, or the person's next lap."""

    lead_id: int
    next_lead_id: int
    owner_id: int | None
    reason: str
    returned_at: datetime
    now: datetime


@dataclass(frozen=True, slots=True)
class DefinitionInForce(Fact):
    """Both sides have signed a version; from now on it decides."""

    definition_id: int
    number: int
    now: datetime


@dataclass(frozen=True, slots=True)
class HandoffDelivered(Fact):
    """A lead was delivered to a rep; clocks start with ``delivered_at``."""

    handoff_id: int
    lead_id: int
    owner_id: int
    delivered_at: datetime
    actor_id: int | None
    now: datetime


@dataclass(frozen=True, slots=True)
class HandoffGateFailed(Fact):
    """A lead did not pass the gate; ``missing`` names the fields."""

    handoff_id: int
    lead_id: int
    missing: tuple[str, ...]
    now: datetime


@dataclass(frozen=True, slots=True)
class HandoffWaiting(Fact):
    """A lead passed the gate and no rep is eligible: it waits, and managers should know."""

    handoff_id: int
    lead_id: int
    now: datetime


@dataclass(frozen=True, slots=True)
class HandoffHeld(Fact):
    """A lead has waited for an eligible rep longer than its pool allows."""

    handoff_id: int
    lead_id: int
    since: datetime
    now: datetime


@dataclass(frozen=True, slots=True)
class HandoffAccepted(Fact):
    """Sales accepted a handoff."""

    handoff_id: int
    lead_id: int
    owner_id: int
    actor_id: int
    accepted_at: datetime
    now: datetime


@dataclass(frozen=True, slots=True)
class HandoffReturned(Fact):
    """Sales gave a handoff back with a reason."""

    handoff_id: int
    lead_id: int
    owner_id: int
    actor_id: int
    reason: str
    returned_at: datetime
    now: datetime


@dataclass(frozen=True, slots=True)
class HandoffExplained(Fact):
    """Sales said what was wrong with a lead that it had returned without a word."""

    handoff_id: int
    lead_id: int
    actor_id: int
    explained_at: datetime
    now: datetime


@dataclass(frozen=True, slots=True)
class HandoffExpired(Fact):
    """Nobody answered a handoff in time."""

    handoff_id: int
    lead_id: int
    owner_id: int
    expired_at: datetime
    now: datetime


@dataclass(frozen=True, slots=True)
class HandoffReopened(Fact):
    """An answer was taken back within the undo window: the handoff waits again."""

    handoff_id: int
    lead_id: int
    owner_id: int
    undone: str
    actor_id: int
    now: datetime


@dataclass(frozen=True, slots=True)
class ReturnAppealed(Fact):
    """Marketing contests a return; ``arbiter_id`` is the manager who rules, if there is one."""

    appeal_id: int
    handoff_id: int
    lead_id: int
    arbiter_id: int | None
    actor_id: int
    now: datetime


@dataclass(frozen=True, slots=True)
class AppealRuled(Fact):
    """A return was upheld or overturned; ``ruling`` says which."""

    appeal_id: int
    handoff_id: int
    lead_id: int
    ruling: str
    actor_id: int
    now: datetime


@dataclass(frozen=True, slots=True)
class OpportunityOpened(Fact):
    """A deal was opened."""

    opportunity_id: int
    lead_id: int | None
    opened_at: datetime
    now: datetime


@dataclass(frozen=True, slots=True)
class OpportunityMoved(Fact):
    """A deal moved on the board, also back from an end (undo)."""

    opportunity_id: int
    lead_id: int | None
    from_stage: str | None
    to_stage: str
    kind: str  # open, won, lost: the kind of the stage it moved to
    amount: Decimal | None
    currency: str
    moved_at: datetime
    actor_id: int | None
    now: datetime


@dataclass(frozen=True, slots=True)
class OpportunityChanged(Fact):
    """A deal has another amount, owner, product or date; it stands where it stood."""

    opportunity_id: int
    lead_id: int | None
    actor_id: int | None
    now: datetime


@dataclass(frozen=True, slots=True)
class OpportunitiesImported(Fact):
    """Deals came from a file or changed by one; handled set-based."""

    opportunity_ids: tuple[int, ...]
    lead_ids: tuple[int, ...]
    now: datetime


@dataclass(frozen=True, slots=True)
class MovesWithdrawn(Fact):
    """An import of deals was taken back: these leads stand where they stood before it."""

    lead_ids: tuple[int, ...]
    now: datetime
