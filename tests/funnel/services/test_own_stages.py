"""An organisation's own stages: added, ordered, asked for, taken out of use; leads move by them."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest

from funnel.models import LeadState, MoveCause, Stage, StageTransition, StageVersion
from funnel.services import entries, handoffs, lifecycle, opportunities, qualifications, stage_gates, stages
from funnel.services.lifecycle import MoveNotPossible
from funnel.services.stage_fields import BadStage
from funnel.services.stages import StageEditNotAllowed, StageInUse
from smarketing.audit.models import AuditEntry
from tests.funnel.conftest import DAY, NOW, capture_lead, record

pytestmark = pytest.mark.django_db
HOUR = DAY / 24
WORKS_THERE = {"path": "company.employees", "operator": "at_least", "value": 50}


def add(actor, name="Engaged", *, after="lead", role="main", **fields):
    given = {"name": name, "owner_side": "marketing", **fields}
    return stages.create(role=role, fields=given, after=after, actor=actor, now=NOW)


def move(lead, to, actor, *, reason="", at=NOW + DAY):
    return lifecycle.move(lead=lead, to=to, cause=MoveCause.MANUAL, actor=actor, reason=reason, at=at, now=at)


def road():
    return list(Stage.objects.filter(kind="main").order_by("position").values_list("code", flat=True))


def ledger(lead):
    rows = StageTransition.objects.filter(lead=lead).order_by("seq").select_related("to_stage")
    return [(r.to_stage.code, r.is_implied) for r in rows]


def test_a_step_is_added_to_the_road_and_kept_in_words_and_trail(sam):
    engaged = add(sam, meaning="They answered us.", target_conversion=40)
    assert road() == ["visitor", "lead", "engaged", "mql", "sql", "opportunity", "customer"]
    assert (engaged.code, engaged.counts_as, engaged.version) == ("engaged", "lead", 1)
    kept = StageVersion.objects.get(stage=engaged)
    assert (kept.version, kept.document["meaning"], kept.actor) == (1, "They answered us.", sam)
    assert AuditEntry.objects.get(action="stage_added").after["code"] == "engaged"


def test_a_place_beside_the_road_stands_with_nurture(sam, lead, mara):
    later = add(sam, "Next year", role="parking", after=None)
    side = list(Stage.objects.filter(kind="side").order_by("position").values_list("code", flat=True))
    assert side[:2] == ["nurture", "next_year"]
    assert (later.counts_as, later.reached_from.code) == ("nurture", "lead")
    assert move(lead, "next_year", mara).stage == later
    assert move(lead, "lead", mara, reason="Budget came").stage.code == "lead"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "mql"}, "name"),
        ({"owner_side": "legal"}, "owner_side"),
        ({"target_conversion": 101}, "target_conversion"),
        ({"rule": [{"path": "secret.key", "operator": "known"}]}, "rule.0.path"),
        ({"rule": [{"path": "score.fit", "operator": "at_least", "value": "lots"}]}, "rule.0.value"),
        ({"rule": [{"path": "person.city", "operator": "in", "value": ["a\x00"]}]}, "rule.0.value"),
        ({"after": "visitor"}, "after"),
        ({"after": "customer"}, "after"),
        ({"after": "nowhere"}, "after"),
        ({"code": "x"}, "code"),
    ],
)
def test_unusable_stages_are_refused_and_nothing_is_added(sam, changes, field):
    after = changes.pop("after", "lead")
    before = road()
    with pytest.raises(BadStage) as refused:
        stages.create(
            role="main",
            fields={"name": "Engaged", "owner_side": "sales", **changes},
            after=after,
            actor=sam,
            now=NOW,
        )
    assert [e.field for e in refused.value.errors] == [field]
    assert road() == before


def test_only_managers_add_stages(rita, mara, sam):
    for user in (rita, mara):
        with pytest.raises(StageEditNotAllowed):
            add(user)
    with pytest.raises(BadStage):
        add(sam, role="closed")
    assert len(road()) == 6


def test_skipping_an_own_step_implies_it_and_the_ledger_names_its_version(sam, lead, mara):
    engaged = add(sam)
    stages.update(stage=engaged, changes={"meaning": "They wrote back."}, actor=sam, now=NOW)
    move(lead, "mql", mara)
    assert ledger(lead) == [("lead", False), ("engaged", True), ("mql", False)]
    row = StageTransition.objects.get(lead=lead, to_stage=engaged)
    assert row.stage_version == 2
    said = StageVersion.objects.get(stage=engaged, version=2).document
    assert said["meaning"] == "They wrote back."


def test_a_stage_with_leads_is_not_retired_and_an_empty_one_is_never_entered_again(sam, lead, mara):
    engaged = add(sam)
    move(lead, "engaged", mara)
    with pytest.raises(StageInUse) as refused:
        stages.retire(stage=engaged, actor=sam, now=NOW)
    assert refused.value.instance_code == "leads_stand_there"
    move(lead, "lead", mara, reason="Wrong call")
    assert not stages.retire(stage=engaged, actor=sam, now=NOW).is_active
    with pytest.raises(MoveNotPossible) as refused:
        move(lead, "engaged", mara)
    assert refused.value.instance_code == "not_in_use"
    move(lead, "mql", mara)
    assert ledger(lead)[-1] == ("mql", False)
    assert [code for code, implied in ledger(lead) if implied] == []
    assert stages.restore(stage=engaged, actor=sam, now=NOW).is_active


def test_what_came_with_the_product_is_renamed_and_neither_moved_nor_retired(sam):
    mql = Stage.objects.get(code="mql")
    assert stages.update(stage=mql, changes={"name": "Ready"}, actor=sam, now=NOW).name == "Ready"
    with pytest.raises(StageInUse):
        stages.retire(stage=mql, actor=sam, now=NOW)
    with pytest.raises(BadStage):
        stages.update(stage=mql, changes={"after": "sql"}, actor=sam, now=NOW)
    with pytest.raises(BadStage):
        stages.update(stage=mql, changes={"rule": [WORKS_THERE]}, actor=sam, now=NOW)
    assert Stage.objects.get(code="mql").version == 2


def test_another_order_finds_the_furthest_step_again(sam, lead, mara):
    warm, hot = add(sam, "Warm"), add(sam, "Hot", after="warm")
    move(lead, "hot", mara)
    move(lead, "warm", mara, reason="Cooled")
    assert LeadState.objects.get(lead=lead).high_water == hot
    stages.update(stage=warm, changes={"after": "hot"}, actor=sam, now=NOW)
    assert road()[1:4] == ["lead", "hot", "warm"]
    state = LeadState.objects.get(lead=lead)
    assert (state.stage, state.high_water) == (warm, warm)


def test_moving_a_step_past_mql_changes_what_it_counts_as(sam):
    step = add(sam, "Discovery")
    moved = stages.update(stage=step, changes={"after": "mql"}, actor=sam, now=NOW)
    assert moved.counts_as == "mql"


def test_by_hand_a_stage_is_entered_only_with_its_criteria(sam, lead, mara):
    add(sam, rule=[WORKS_THERE])
    with pytest.raises(stage_gates.NotReady) as refused:
        move(lead, "engaged", mara)
    assert "employees is at least 50" in refused.value.detail
    assert ledger(lead) == [("lead", False)]


def test_criteria_over_the_score_take_a_lead_on_when_something_happens(sam, lead):
    add(sam, rule=[{"path": "score.interest", "operator": "at_least", "value": 5}])
    assert LeadState.objects.get(lead=lead).stage.code == "lead"
    record(lead, "form", "Newsletter", at=NOW + DAY)
    row = StageTransition.objects.filter(lead=lead).order_by("-seq")[0]
    assert (row.to_stage.code, row.cause, row.actor, row.stage_version) == ("engaged", "criteria", None, 1)


def test_whoever_was_taken_back_by_hand_is_not_pushed_again(sam, lead, mara):
    add(sam, rule=[{"path": "score.interest", "operator": "at_least", "value": 5}])
    record(lead, "form", "Newsletter", at=NOW + DAY)
    move(lead, "lead", mara, reason="Was a student", at=NOW + 2 * DAY)
    record(lead, "form", "Newsletter", at=NOW + 3 * DAY)
    assert LeadState.objects.get(lead=lead).stage.code == "lead"


def test_new_criteria_are_put_to_all_leads_by_the_loop(sam, web):
    first, second = capture_lead(web), capture_lead(web, title="Student")
    title = {"path": "person.title", "operator": "contains", "value": "director"}
    stage = add(sam, rule=[title])
    assert entries.run_once(now=NOW + DAY, limit=1) == 1
    assert entries.run_once(now=NOW + DAY, limit=100) == 1
    stage.refresh_from_db()
    assert stage.checked_up_to is None
    assert LeadState.objects.get(lead=first).stage == stage
    assert LeadState.objects.get(lead=second).stage.code == "lead"
    assert entries.run_once(now=NOW + DAY, limit=100) == 0


def test_criteria_never_carry_a_lead_past_mql(sam, lead):
    add(sam, "Discovery", after="mql", rule=[{"path": "score.fit", "operator": "at_least", "value": 0}])
    entries.run_once(now=NOW + DAY, limit=100)
    assert ledger(lead) == [("lead", False)]


def test_between_mql_and_sql_a_lead_is_delivered_accepted_and_qualified_as_an_mql(
    sam, lead, qualify, rita, mara
):
    add(
        sam,
        "Discovery",
        after="mql",
        rule=[{"path": "facts.is_accepted", "operator": "equals", "value": True}],
    )
    qualify(lead)
    handoff = lead.handoffs.get()
    at = NOW + 2 * HOUR
    handoffs.accept(handoff=handoff, actor=handoff.owner, now=at)
    assert LeadState.objects.get(lead=lead).stage.code == "discovery"
    qualifications.record(
        lead=lead, need="Fewer tools", budget=Decimal(9000), currency="EUR", actor=rita, now=at
    )
    assert LeadState.objects.get(lead=lead).stage.code == "sql"
    assert [code for code, _ in ledger(lead)] == ["lead", "mql", "discovery", "sql"]


def test_by_hand_an_sql_needs_acceptance_need_and_budget(lead, qualify, rita, mara):
    with pytest.raises(stage_gates.NotReady) as refused:
        move(lead, "sql", mara)
    assert [e.code for e in refused.value.errors] == ["not_accepted"]
    qualify(lead)
    handoff = lead.handoffs.get()
    handoffs.accept(handoff=handoff, actor=handoff.owner, now=NOW + 2 * HOUR)
    with pytest.raises(stage_gates.NotReady) as refused:
        move(lead, "sql", mara)
    assert [e.field for e in refused.value.errors] == ["need", "budget"]
    assert LeadState.objects.get(lead=lead).stage.code == "mql"


def test_a_deal_takes_a_lead_on_from_an_own_step(sam, lead, rita, mara):
    add(sam, "Proposal", after="sql")
    move(lead, "proposal", mara)
    at = NOW + 2 * DAY
    opportunities.open(lead=lead, name="Deal", currency="EUR", owner=rita, opened_at=at, actor=rita, now=at)
    assert LeadState.objects.get(lead=lead).stage.code == "opportunity"


def replayed(lead):
    """Stage, furthest step, number and instant of the last move, from the ledger alone."""
    rows = list(StageTransition.objects.filter(lead=lead).order_by("seq").select_related("to_stage"))
    road_of = {s.code: s.position for s in Stage.objects.filter(kind="main")}
    reached = [row.to_stage.code for row in rows if row.to_stage.code in road_of]
    last = rows[-1]
    return (last.to_stage.code, max(reached, key=road_of.__getitem__), last.seq, last.effective_at)


@pytest.mark.parametrize("seed", range(6))
def test_the_ledger_replays_to_where_each_lead_stands_whatever_moves_and_orders_came(sam, lead, mara, seed):
    dice = random.Random(seed)
    own = [add(sam, name) for name in ("Warm", "Hot")]
    codes = list(Stage.objects.filter(by_hand=True).values_list("code", flat=True))
    for number in range(14):
        try:
            if dice.random() < 0.2:
                after = dice.choice(["lead", "mql", "sql", "opportunity"])
                stages.update(stage=dice.choice(own), changes={"after": after}, actor=sam, now=NOW)
            else:
                lifecycle.move(
                    lead=lead,
                    to=dice.choice(codes),
                    cause=MoveCause.CORRECTION,
                    actor=mara,
                    reason="A test",
                    at=NOW + number * DAY,
                    now=NOW + number * DAY,
                    reopen=dice.random() < 0.5,
                )
        except MoveNotPossible:
            continue
        state = LeadState.objects.select_related("stage", "high_water").get(lead=lead)
        assert replayed(lead) == (state.stage.code, state.high_water.code, state.seq, state.entered_at)
