"""Stages of an opportunity, how other systems call them, and the reasons a deal is lost for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How a deal stands."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class DealStage:
    """A column of the board. ``probability`` is in percent and used for weighted pipeline."""

    code: str
    label: str
    outcome: Outcome
    probability: int


DEFAULT_STAGES: tuple[DealStage, ...] = (
    DealStage("prospecting", "Prospecting", Outcome.OPEN, 10),
    DealStage("engaging", "Engaging", Outcome.OPEN, 25),
    DealStage("proposal", "Proposal", Outcome.OPEN, 50),
    DealStage("negotiation", "Negotiation", Outcome.OPEN, 75),
    DealStage("won", "Won", Outcome.WON, 100),
    DealStage("lost", "Lost", Outcome.LOST, 0),
)
STAGE_BY_CODE: Mapping[str, DealStage] = {stage.code: stage for stage in DEFAULT_STAGES}

# Labels of Salesforce (StageName), HubSpot (labels and internal ids of the default pipeline), Pipedrive and
# plain words, folded to letters and digits.
LABELS: Mapping[str, str] = {
    "prospecting": "prospecting prospect new open leadin appointmentscheduled contactmade qualification"
    " discovery demoscheduled",
    "engaging": "engaging engaged inprogress working qualified qualifiedtobuy needsanalysis needsdefined"
    " presentationscheduled iddecisionmakers perceptionanalysis valueproposition solutioning",
    "proposal": "proposal proposalquote proposalpricequote proposalmade proposalsent quote quotesent"
    " decisionmakerboughtin",
    "negotiation": "negotiation negotiationreview negotiationsstarted contractsent contract verbalcommitment",
    "won": "won closedwon closewon win signed success",
    "lost": "lost closedlost closelost loss abandoned dead",
}
SYNONYMS: Mapping[str, str] = {label: code for code, labels in LABELS.items() for label in labels.split()}


def recognise_stage(text: str) -> DealStage | None:
    """The stage another system's label means, or None. Case, spaces and punctuation do not matter."""
    code = SYNONYMS.get(re.sub(r"[\W_]+", "", text).casefold())
    return STAGE_BY_CODE[code] if code else None


@dataclass(frozen=True, slots=True)
class LostReason:
    """Why a deal was lost. ``needs_competitor`` and ``needs_note`` make those fields compulsory."""

    code: str
    label: str
    needs_competitor: bool = False
    needs_note: bool = False


LOST_REASONS: Mapping[str, LostReason] = {
    reason.code: reason
    for reason in (
        LostReason("price", "Price"),
        LostReason("competitor", "Competitor", needs_competitor=True),
        LostReason("no_decision", "No decision"),
        LostReason("no_budget", "No budget"),
        LostReason("missing_feature", "Missing feature", needs_note=True),
        LostReason("timing", "Timing"),
        LostReason("unknown", "Not told"),
    )
}


class DealRefused(ValueError):
    """A stage or reason is unknown, or something that belongs to it is missing; ``field`` names it."""

    def __init__(self, field: str, code: str, detail: str) -> None:
        super().__init__(detail)
        self.field = field
        self.code = code
        self.detail = detail


def stage(code: str) -> DealStage:
    """The stage by its code. Raises DealRefused."""
    found = STAGE_BY_CODE.get(code)
    if found is None:
        raise DealRefused("stage", "unknown_stage", f"There is no deal stage “{code}”.")
    return found


def check_loss(reason: str, *, competitor: str = "", note: str = "") -> LostReason:
    """The reason by its code. Raises DealRefused when it is unknown or lacks what belongs to it."""
    found = LOST_REASONS.get(reason)
    if found is None:
        raise DealRefused("lost_reason", "unknown_reason", "Choose why the deal was lost.")
    if found.needs_competitor and not competitor.strip():
        raise DealRefused("competitor", "competitor_required", "Name the competitor.")
    if found.needs_note and not note.strip():
        raise DealRefused("note", "note_required", "Say in a sentence what happened.")
    return found
