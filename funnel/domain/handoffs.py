"""The handoff's state table, the reasons for returning a lead, and what each state counts for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """The states of a handoff."""

    ASSEMBLING = "assembling"
    GATE_FAILED = "gate_failed"
    DELIVERED = "delivered"
    ACCEPTED = "accepted"
    RETURNED = "returned"
    EXPIRED = "expired"
    UPHELD = "upheld"
    OVERTURNED = "overturned"


class Action(StrEnum):
    """What can happen to a handoff."""

    FAIL_GATE = "fail_gate"
    DELIVER = "deliver"
    ACCEPT = "accept"
    RETURN = "return"
    EXPIRE = "expire"
    UPHOLD = "uphold"
    OVERTURN = "overturn"


TRANSITIONS: Mapping[tuple[State, Action], State] = {
    (State.ASSEMBLING, Action.FAIL_GATE): State.GATE_FAILED,
    (State.ASSEMBLING, Action.DELIVER): State.DELIVERED,
    (State.DELIVERED, Action.ACCEPT): State.ACCEPTED,
    (State.DELIVERED, Action.RETURN): State.RETURNED,
    (State.DELIVERED, Action.EXPIRE): State.EXPIRED,
    (State.RETURNED, Action.UPHOLD): State.UPHELD,
    (State.RETURNED, Action.OVERTURN): State.OVERTURNED,
}
OPEN = frozenset({State.ASSEMBLING, State.DELIVERED})
# Stages a lead can be delivered from.
DELIVERABLE = frozenset({"visitor", "lead", "nurture", "mql"})
PASSED_THE_GATE = frozenset(State) - {State.ASSEMBLING, State.GATE_FAILED}


class HandoffRefused(ValueError):
    """The action does not fit the handoff's state; ``state`` is the current one."""

    def __init__(self, state: State, action: Action) -> None:
        self.state = state
        self.action = action
        self.code = "wrong_state"
        self.detail = (
            f"This handoff is {state.value.replace('_', ' ')}; it can't be changed that way any more."
        )
        super().__init__(self.detail)


def advance(state: str, action: str) -> State:
    """The state after ``action``. Raises HandoffRefused."""
    before, what = State(state), Action(action)
    after = TRANSITIONS.get((before, what))
    if after is None:
        raise HandoffRefused(before, what)
    return after


def actions_from(state: str) -> list[Action]:
    """What can be done from ``state``, in the table's order."""
    return [action for (before, action) in TRANSITIONS if before == state]


def counts_gross(state: str) -> bool:
    """Delivered, gross: it passed the gate."""
    return State(state) in PASSED_THE_GATE


def counts_net(state: str) -> bool:
    """Delivered, net: gross without the returns that were upheld."""
    return counts_gross(state) and State(state) is not State.UPHELD


@dataclass(frozen=True, slots=True)
class ReturnReason:
    """Why a rep gives a lead back.

    ``next_stage`` is where the lead goes. ``is_rejection`` tells whether the return says something against
    the lead's quality, and so against marketing's supply. ``refuses_for_ever`` asks for a tombstone.
    ``needs_note`` makes the free text compulsory.
    """

    code: str
    label: str
    next_stage: str
    is_rejection: bool = True
    refuses_for_ever: bool = False
    needs_note: bool = False


RETURN_REASONS: Mapping[str, ReturnReason] = {
    reason.code: reason
    for reason in (
        ReturnReason("not_ready", "Not ready to buy yet", "nurture", is_rejection=False),
        ReturnReason("wrong_contact", "Wrong contact or wrong data", "recycled", needs_note=True),
        ReturnReason(
            "no_fit", "Not our kind of customer", "disqualified", refuses_for_ever=True, needs_note=True
        ),
        ReturnReason("no_budget", "No budget", "recycled"),
        ReturnReason("no_need", "No need", "recycled"),
        ReturnReason("competitor", "Works for a competitor", "disqualified", refuses_for_ever=True),
        ReturnReason("duplicate", "Already being worked", "disqualified"),
        ReturnReason("unreachable", "Can't be reached", "recycled"),
    )
}


class ReasonRefused(ValueError):
    """The reason is unknown or lacks its note; ``field`` is "reason" or "note"."""

    def __init__(self, field: str, code: str, detail: str) -> None:
        super().__init__(detail)
        self.field = field
        self.code = code
        self.detail = detail


def check_return(reason: str, note: str) -> ReturnReason:
    """The reason by its code. Raises ReasonRefused when it is unknown or its note is missing."""
    found = RETURN_REASONS.get(reason)
    if found is None:
        raise ReasonRefused("reason", "unknown_reason", "Choose one of the reasons.")
    if found.needs_note and not note.strip():
        raise ReasonRefused(
            "note", "note_required", "Say in a sentence what is wrong, so that it can be mended."
        )
    return found
