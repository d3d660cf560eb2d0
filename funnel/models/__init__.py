"""Tables of the funnel app."""

from funnel.models.alert import Alert, AlertDelivery, AlertHit, AlertHours, SubjectChoices, TriggerChoices
from funnel.models.definition import DefinitionSignature, DefinitionState, DefinitionVersion
from funnel.models.handoff import Handoff, HandoffState, Qualification, ReturnReason, Ring, RingMember
from funnel.models.opportunity import (
    LostReason,
    Opportunity,
    OpportunityStage,
    OpportunityStageKind,
    OpportunityTransition,
    Product,
)
from funnel.models.score import FitBand, FitPeriod, Interest, LeadAction, LeadScore, SignalDay
from funnel.models.stage import Assignment, LeadState, MoveCause, Stage, StageKind, StageTransition
from funnel.models.tombstone import (
    Inlet,
    MeetingOutcome,
    Tombstone,
    TombstoneHit,
    TombstoneKey,
    TombstoneKeyKind,
    TombstoneReason,
    TombstoneReopen,
    TombstoneScope,
)

__all__ = [
    "Alert",
    "AlertDelivery",
    "AlertHit",
    "AlertHours",
    "Assignment",
    "DefinitionSignature",
    "DefinitionState",
    "DefinitionVersion",
    "FitBand",
    "FitPeriod",
    "Handoff",
    "HandoffState",
    "Inlet",
    "Interest",
    "LeadAction",
    "LeadScore",
    "LeadState",
    "LostReason",
    "MeetingOutcome",
    "MoveCause",
    "Opportunity",
    "OpportunityStage",
    "OpportunityStageKind",
    "OpportunityTransition",
    "Product",
    "Qualification",
    "ReturnReason",
    "Ring",
    "RingMember",
    "SignalDay",
    "Stage",
    "StageKind",
    "StageTransition",
    "SubjectChoices",
    "TriggerChoices",
    "Tombstone",
    "TombstoneHit",
    "TombstoneKey",
    "TombstoneKeyKind",
    "TombstoneReason",
    "TombstoneReopen",
    "TombstoneScope",
]
