"""Tables of the funnel app."""

from funnel.models.alert import Alert, AlertDelivery, AlertHit, AlertHours, SubjectChoices, TriggerChoices
from funnel.models.definition import (
    DefinitionComment,
    DefinitionSignature,
    DefinitionState,
    DefinitionVersion,
)
from funnel.models.handoff import Handoff, HandoffState, Qualification, ReturnReason, Ring, RingMember
from funnel.models.likelihood import (
    Likelihood,
    LikelihoodModel,
    ModelState,
    RunState,
    TrainingRun,
    TraitRuling,
)
from funnel.models.opportunity import (
    LostReason,
    Opportunity,
    OpportunityStage,
    OpportunityStageKind,
    OpportunityTransition,
    Product,
)
from funnel.models.questionnaire import Questionnaire, QuestionnaireAnswer
from funnel.models.replay import Replay, ReplayState
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
    "DefinitionComment",
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
    "Likelihood",
    "LikelihoodModel",
    "LostReason",
    "MeetingOutcome",
    "ModelState",
    "MoveCause",
    "Opportunity",
    "OpportunityStage",
    "OpportunityStageKind",
    "OpportunityTransition",
    "Product",
    "Qualification",
    "Questionnaire",
    "QuestionnaireAnswer",
    "Replay",
    "ReplayState",
    "ReturnReason",
    "Ring",
    "RingMember",
    "RunState",
    "SignalDay",
    "Stage",
    "StageKind",
    "StageTransition",
    "SubjectChoices",
    "TrainingRun",
    "TraitRuling",
    "TriggerChoices",
    "Tombstone",
    "TombstoneHit",
    "TombstoneKey",
    "TombstoneKeyKind",
    "TombstoneReason",
    "TombstoneReopen",
    "TombstoneScope",
]
