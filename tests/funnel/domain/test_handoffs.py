"""The handoff's table, whole, and the reasons to return a lead."""

from __future__ import annotations

import pytest

from funnel.domain import handoffs
from funnel.domain.handoffs import Action, HandoffRefused, ReasonRefused, State

ALLOWED = {
    ("assembling", "fail_gate"): "gate_failed",
    ("assembling", "deliver"): "delivered",
    ("delivered", "accept"): "accepted",
    ("delivered", "return"): "returned",
    ("delivered", "expire"): "expired",
    ("returned", "uphold"): "upheld",
    ("returned", "overturn"): "overturned",
}


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("action", list(Action))
def test_exactly_the_moves_of_the_table_are_possible(state, action):
    expected = ALLOWED.get((state.value, action.value))
    if expected:
        assert handoffs.advance(state, action) == expected
    else:
        with pytest.raises(HandoffRefused):
            handoffs.advance(state, action)


def test_net_leaves_out_only_upheld_returns():
    gross = {state.value for state in State if handoffs.counts_gross(state)}
    net = {state.value for state in State if handoffs.counts_net(state)}
    assert gross == {"delivered", "accepted", "returned", "expired", "upheld", "overturned"}
    assert gross - net == {"upheld"}


def test_not_ready_goes_to_nurture_and_rejects_nothing():
    reason = handoffs.check_return("not_ready", "")
    assert (reason.next_stage, reason.is_rejection) == ("nurture", False)


@pytest.mark.parametrize(
    ("reason", "note", "field"),
    [("because", "", "reason"), ("no_fit", "  ", "note"), ("wrong_contact", "", "note")],
)
def test_a_return_without_a_usable_reason_is_refused(reason, note, field):
    with pytest.raises(ReasonRefused) as refused:
        handoffs.check_return(reason, note)
    assert refused.value.field == field


def test_only_final_reasons_ask_for_a_tombstone():
    for reason in handoffs.RETURN_REASONS.values():
        assert not reason.refuses_for_ever or reason.next_stage == "disqualified"


def test_what_can_be_done_from_a_state():
    assert handoffs.actions_from("delivered") == [Action.ACCEPT, Action.RETURN, Action.EXPIRE]
    assert handoffs.actions_from("accepted") == []
