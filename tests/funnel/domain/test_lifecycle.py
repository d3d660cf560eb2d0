"""The journey of a lead: implied stages, the way back, side stages, laps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel.domain.lifecycle import DEFAULT_LADDER, DEFAULT_STAGES, Ladder, Move, MoveRefused, Step, plan_move


def refusal(*args: object, **kwargs: object) -> str:
    with pytest.raises(MoveRefused) as refused:
        plan_move(*args, **kwargs)
    return refused.value.code


def test_one_step_forward():
    assert plan_move("lead", "mql") == [Step("lead", "mql", Move.ADVANCE)]


def test_skipped_stages_are_implied():
    assert plan_move("lead", "opportunity") == [
        Step("lead", "mql", Move.ADVANCE, implied=True),
        Step("mql", "sql", Move.ADVANCE, implied=True),
        Step("sql", "opportunity", Move.ADVANCE),
    ]


def test_a_new_lead_enters_the_ladder():
    assert plan_move(None, "lead") == [Step(None, "lead", Move.ENTER)]
    assert plan_move(None, "visitor") == [Step(None, "visitor", Move.ENTER)]


def test_a_loaded_history_may_enter_anywhere():
    assert plan_move(None, "mql") == [
        Step(None, "lead", Move.ENTER, implied=True),
        Step("lead", "mql", Move.ADVANCE),
    ]
    assert [s.to_stage for s in plan_move(None, "lost")] == ["lead", "mql", "sql", "opportunity", "lost"]
    assert plan_move(None, "disqualified")[-1] == Step("lead", "disqualified", Move.CLOSE)


def test_a_visitor_becomes_an_mql_by_way_of_lead():
    assert [s.to_stage for s in plan_move("visitor", "mql")] == ["lead", "mql"]


def test_staying_is_no_move():
    assert plan_move("mql", "mql") == []


def test_going_back_needs_a_reason_and_a_person():
    assert refusal("sql", "lead") == "reason_required"
    assert refusal("sql", "lead", reason="wrong", automatic=True) == "only_forward"
    assert plan_move("sql", "lead", reason="accepted by mistake") == [Step("sql", "lead", Move.REGRESS)]


def test_nobody_becomes_a_visitor_again():
    assert refusal("lead", "visitor", reason="x") == "no_such_move"


def test_nurture_is_a_detour_within_the_lap():
    assert plan_move("mql", "nurture") == [Step("mql", "nurture", Move.DETOUR)]
    assert plan_move("nurture", "mql", last_step="mql") == [Step("nurture", "mql", Move.REENTER)]
    assert [s.to_stage for s in plan_move("nurture", "opportunity", last_step="mql")] == [
        "sql",
        "opportunity",
    ]


def test_a_closed_lead_stays_closed_and_the_person_gets_a_new_lap():
    assert refusal("recycled", "mql") == "new_lap"
    assert plan_move(
        "lost", "opportunity", reason="closed by mistake", reopen=True, last_step="opportunity"
    ) == [Step("lost", "opportunity", Move.REOPEN)]


def test_only_an_opportunity_can_be_lost():
    assert refusal("sql", "lost", reason="x") == "too_early"
    assert refusal("nurture", "lost", reason="x", last_step="mql") == "too_early"
    assert plan_move("opportunity", "lost", reason="price") == [Step("opportunity", "lost", Move.CLOSE)]


def test_only_what_sales_had_can_be_recycled():
    assert refusal("lead", "recycled", reason="x") == "too_early"
    assert refusal("mql", "recycled") == "reason_required"


def test_unknown_stages_are_named():
    assert refusal("lead", "evangelist") == "unknown_stage"


def test_high_water_never_counts_side_stages():
    assert DEFAULT_LADDER.furthest("sql", "nurture", "mql", None) == "sql"
    assert DEFAULT_LADDER.furthest("nurture", None) is None
    assert DEFAULT_LADDER.reaches("opportunity", "mql")
    assert not DEFAULT_LADDER.reaches("lead", "mql")


def test_the_menu_offers_what_is_possible():
    assert DEFAULT_LADDER.targets("mql") == [
        "lead", "sql", "opportunity", "customer", "disqualified", "nurture", "recycled",
    ]  # fmt: skip
    assert DEFAULT_LADDER.targets("lost") == ["disqualified", "recycled"]


def test_every_default_stage_says_who_owns_it_and_how_one_gets_there():
    assert all(stage.definition and stage.entry and stage.side for stage in DEFAULT_STAGES)


def test_ladders_with_two_stages_of_one_rank_are_refused():
    with pytest.raises(ValueError, match="ranks"):
        Ladder([DEFAULT_STAGES[1], DEFAULT_STAGES[1]])


codes = st.sampled_from([stage.code for stage in DEFAULT_STAGES])


@given(st.none() | codes, codes, st.booleans())
def test_a_plan_is_an_unbroken_chain_that_ends_at_the_target(current, target, reopen):
    try:
        steps = plan_move(current, target, reason="r", reopen=reopen)
    except MoveRefused:
        return
    assert [s.from_stage for s in steps] == [current, *(s.to_stage for s in steps)][: len(steps)]
    assert (steps[-1].to_stage if steps else current) == target
    assert all(s.implied for s in steps[:-1])
    assert not steps or not steps[-1].implied
