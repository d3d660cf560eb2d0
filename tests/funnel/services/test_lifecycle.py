"""Leads move by one table and one writer; what happened stays in the ledger."""

from __future__ import annotations

from datetime import timedelta

import pytest

from funnel.models import LeadState, MoveCause, StageTransition
from funnel.services import lifecycle
from funnel.services.lifecycle import MoveNotAllowed, MoveNotPossible
from leads.models import Lead
from leads.services import leads as capturing
from tests.funnel.conftest import DAY, NOW

pytestmark = pytest.mark.django_db


def move(lead, to, actor, *, at=NOW + DAY, **more):
    cause = more.pop("cause", MoveCause.MANUAL)
    return lifecycle.move(lead=lead, to=to, cause=cause, actor=actor, at=at, now=at, **more)


def rows(lead):
    found = StageTransition.objects.filter(lead=lead).order_by("seq")
    return [(r.seq, r.from_stage and r.from_stage.code, r.to_stage.code, r.is_implied) for r in found]


def test_a_skip_is_recorded_as_implied_with_zero_duration(lead, mara):
    state = move(lead, "opportunity", mara)
    assert rows(lead) == [
        (1, None, "lead", False),
        (2, "lead", "mql", True),
        (3, "mql", "sql", True),
        (4, "sql", "opportunity", False),
    ]
    instants = set(
        StageTransition.objects.filter(lead=lead, seq__gt=1).values_list("effective_at", flat=True)
    )
    assert instants == {NOW + DAY}
    assert (state.stage.code, state.high_water.code, state.seq, state.version) == (
        "opportunity",
        "opportunity",
        4,
        2,
    )


def test_going_back_needs_a_reason_and_keeps_the_high_water_mark(lead, mara):
    move(lead, "sql", mara, cause=MoveCause.CORRECTION)
    state = move(lead, "lead", mara, reason="Wrong call", at=NOW + 2 * DAY)
    assert (state.stage.code, state.high_water.code) == ("lead", "sql")


def test_entering_an_end_ends_the_lap_and_reopening_takes_it_back(lead, mara):
    move(lead, "disqualified", mara, reason="A test entry")
    assert Lead.objects.get(pk=lead.pk).closed_at == NOW + DAY
    with pytest.raises(MoveNotPossible) as refused:
        move(lead, "lead", mara, at=NOW + 2 * DAY)
    assert refused.value.instance_code == "new_lap"
    move(lead, "lead", mara, at=NOW + 2 * DAY, reopen=True)
    assert Lead.objects.get(pk=lead.pk).closed_at is None


def test_a_lap_is_not_reopened_when_the_person_has_come_back(lead, mara, web):
    move(lead, "disqualified", mara)
    capturing.capture(
        source=web, person=lead.person, captured_at=NOW + 2 * DAY, actor=None, now=NOW + 2 * DAY
    )
    with pytest.raises(capturing.LaterLap):
        move(lead, "lead", mara, at=NOW + 3 * DAY, reopen=True)
    assert LeadState.objects.get(lead=lead).stage.code == "disqualified"


def test_moving_to_where_it_stands_changes_nothing(lead, mara):
    assert move(lead, "lead", mara).version == 1
    assert len(rows(lead)) == 1


@pytest.mark.parametrize("to", ["nowhere", "visitor"])
def test_moves_that_the_table_does_not_hold_are_refused(lead, mara, to):
    with pytest.raises(MoveNotPossible):
        move(lead, to, mara)
    assert len(rows(lead)) == 1


def test_only_who_may_edit_leads_moves_them_by_hand(lead, olga):
    for actor in (olga, None):
        with pytest.raises(MoveNotAllowed):
            move(lead, "mql", actor)
    assert len(rows(lead)) == 1


def test_automation_never_goes_back(lead, mara):
    move(lead, "sql", mara, cause=MoveCause.CORRECTION)
    with pytest.raises(MoveNotPossible):
        move(lead, "mql", None, cause=MoveCause.QUALIFIED, at=NOW + 2 * DAY)


def test_an_earlier_instant_counts_as_the_last_one(lead, mara):
    move(lead, "mql", mara, at=NOW + 2 * DAY)
    state = move(lead, "opportunity", mara, at=NOW + timedelta(hours=1))
    assert state.entered_at == NOW + 2 * DAY
