"""Keeping leads warm: who goes there, whose they are, what brings them back, and what pauses it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from funnel.models import LeadState, Nurture, NurtureRule, StageTransition
from funnel.services import handoffs, lifecycle, nurture_returns, nurtures, owners, scoring
from funnel.services.nurtures import BadNurture, NotInNurture, NurtureNotAllowed
from leads.models import Lead
from smarketing.notifications.models import Outbox
from tests.funnel.conftest import DAY, NOW, asks_for_demo, capture_lead, record

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=3)


def stage(lead):
    return LeadState.objects.select_related("stage").get(lead=lead).stage.code


def run(now):
    return nurture_returns.run_once(now=now, limit=100)


@pytest.fixture
def returned(lead, qualify, rita, mara):
    """A lead that sales gave back as not ready, at one o'clock."""
    handoff = qualify(lead).handoffs.get()
    handoffs.return_(handoff=handoff, reason="not_ready", actor=rita, now=LATER)
    return lead


def test_who_fits_and_shows_little_interest_goes_to_nurture_after_a_week(web, mara):
    fits, plain, asked = capture_lead(web), capture_lead(web, title="Clerk", company=""), capture_lead(web)
    asks_for_demo(asked, at=NOW + DAY)
    assert run(NOW + 7 * DAY - timedelta(seconds=1)) == 0
    run(NOW + 9 * DAY)
    assert [stage(lead) for lead in (fits, plain, asked)] == ["nurture", "lead", "mql"]
    kept = Nurture.objects.get()
    assert (kept.lead, kept.owner, kept.state, kept.cause) == (fits, mara, "active", "low_interest")
    assert (kept.began_at, kept.gain_points, kept.returns_at) == (NOW + 7 * DAY, None, None)
    move = StageTransition.objects.get(lead=fits, to_stage__code="nurture")
    assert (move.cause, move.effective_at, move.recorded_at) == ("nurtured", NOW + 7 * DAY, NOW + 9 * DAY)
    assert run(NOW + 10 * DAY) == 0


def test_a_lead_that_a_rep_has_is_left_to_them(lead, rita, sam, mara):
    owners.assign(lead=lead, owner=rita, reason=owners.BY_HAND, actor=sam, now=NOW)
    run(NOW + 8 * DAY)
    assert stage(lead) == "lead"


def test_who_never_qualified_comes_back_by_the_definition_and_nurture_pauses(lead, rita, mara):
    run(NOW + 8 * DAY)
    assert stage(lead) == "nurture"
    asks_for_demo(lead, at=NOW + 9 * DAY)
    assert stage(lead) == "mql"
    assert Nurture.objects.get().state == "paused"
    assert Lead.objects.count() == 1


def test_a_return_as_not_ready_keeps_warm_with_owner_reason_and_a_way_back(returned, mara):
    kept = Nurture.objects.get()
    assert (kept.owner, kept.cause, kept.reason) == (mara, "returned", "Not ready to buy yet")
    assert (kept.gain_points, kept.returns_at) == (25, LATER + 90 * DAY)


def test_marketers_share_and_the_campaigns_owner_goes_first(web, mara, max_):
    for number in range(3):
        capture_lead(web, at=NOW + timedelta(minutes=number))
    run(NOW + 8 * DAY)
    assert sorted(Nurture.objects.values_list("owner__name", flat=True)) == [
        "Mara Marketer", "Mara Marketer", "Max Marketing",
    ]  # fmt: skip


def test_gained_interest_brings_back_the_next_lap_at_the_instant_of_the_event(returned, rita):
    """What was there before does not count, nor when the loop ran."""
    back = NOW + 20 * DAY
    record(returned, "track", "Webinar attended", at=NOW + 10 * DAY)
    assert run(NOW + 11 * DAY) == 0
    asks_for_demo(returned, at=back)
    assert Nurture.objects.get().gained_at == back
    assert run(NOW + 23 * DAY) == 1
    first, second = Lead.objects.order_by("lap")
    assert (stage(first), first.closed_at, first.lap) == ("recycled", back, 1)
    assert (second.lap, second.captured_at, second.origin) == (2, back, "Nurture")
    assert stage(second) == "mql"
    assert second.handoffs.get().owner == rita
    ended = Nurture.objects.get()
    assert (ended.state, ended.next_lead) == ("ended", second)
    move = StageTransition.objects.get(lead=first, to_stage__code="recycled")
    assert (move.cause, move.reason) == ("re_entered", "Gained 25 points of interest")
    assert Outbox.objects.get(topic="nurture.returned").payload["lead_id"] == second.pk


def test_late_events_give_the_same_instant_in_any_order(web, rita, mara):
    steps = [
        ("track", "Webinar attended", 9),
        ("track", "Content Downloaded", 10),
        ("form", "Demo request", 12),
    ]
    instants = set()
    for order in (steps, steps[::-1], [steps[1], steps[2], steps[0]]):
        lead = capture_lead(web)
        asks_for_demo(lead, at=NOW + timedelta(hours=1))
        handoffs.return_(handoff=lead.handoffs.get(), reason="not_ready", actor=rita, now=LATER)
        for kind, name, day in order:
            record(lead, kind, name, at=NOW + day * DAY, now=NOW + 15 * DAY)
        run(NOW + 15 * DAY)
        instants.add(Lead.objects.get(person=lead.person_id, lap=2).captured_at)
    assert len(instants) == 1


def test_the_agreed_day_brings_back_whoever_did_nothing(returned):
    assert run(LATER + 90 * DAY - timedelta(seconds=1)) == 0
    assert run(LATER + 95 * DAY) == 1
    second = Lead.objects.get(lap=2)
    assert (second.captured_at, stage(second)) == (LATER + 90 * DAY, "lead")


def test_a_rep_who_gets_the_lead_pauses_nurture_and_giving_it_up_goes_on(returned, rita, sam):
    owners.assign(lead=returned, owner=rita, reason=owners.BY_HAND, actor=sam, now=LATER)
    assert Nurture.objects.get().state == "paused"
    assert run(LATER + 100 * DAY) == 0
    owners.assign(lead=returned, owner=None, reason=owners.BY_HAND, actor=sam, now=LATER)
    assert Nurture.objects.get().state == "active"


def test_taking_the_return_back_pauses_it(lead, qualify, rita, mara):
    handoff = qualify(lead).handoffs.get()
    handoff = handoffs.return_(handoff=handoff, reason="not_ready", actor=rita, now=LATER)
    handoffs.undo(handoff=handoff, actor=rita, now=LATER + timedelta(seconds=5))
    assert (stage(lead), Nurture.objects.get().state) == ("mql", "paused")


def test_marketing_brings_somebody_back_by_hand_and_only_once(returned, mara, rita):
    kept = Nurture.objects.get()
    with pytest.raises(nurture_returns.ReturnNotAllowed):
        nurture_returns.bring_back(nurture=kept, actor=rita, now=LATER + DAY)
    second = nurture_returns.bring_back(nurture=kept, actor=mara, now=LATER + DAY)
    assert (second.lap, stage(returned)) == (2, "recycled")
    with pytest.raises(NotInNurture):
        nurture_returns.bring_back(nurture=kept, actor=mara, now=LATER + DAY)
    assert Lead.objects.count() == 2


def test_who_never_qualified_is_brought_back_as_the_same_lead(lead, mara):
    run(NOW + 8 * DAY)
    back = nurture_returns.bring_back(nurture=Nurture.objects.get(), actor=mara, now=NOW + 9 * DAY)
    assert (back, stage(lead), Nurture.objects.get().state) == (lead, "lead", "ended")
    run(NOW + 30 * DAY)
    assert stage(lead) == "lead"


def test_a_wrong_rule_is_refused_and_changes_nothing(returned, mara, rita):
    kept = Nurture.objects.get()
    with pytest.raises(BadNurture) as refused:
        nurtures.change(
            nurture=kept,
            changes={"owner": rita, "gain_points": 0, "returns_at": LATER - DAY, "state": "ended"},
            actor=mara,
            now=LATER,
        )
    assert [e.field for e in refused.value.errors] == ["gain_points", "owner", "returns_at", "state"]
    with pytest.raises(NurtureNotAllowed):
        nurtures.change(nurture=kept, changes={"reason": "x"}, actor=rita, now=LATER)
    again = Nurture.objects.get()
    assert (again.version, again.owner, again.gain_points) == (kept.version, mara, 25)


def test_the_organisations_rule_holds_for_those_to_come(lead, qualify, rita, mara, max_):
    with pytest.raises(NurtureNotAllowed):
        nurtures.set_rule(changes={"gain_points": 10}, actor=mara, now=NOW)
    nurtures.set_rule(changes={"gain_points": 10, "return_days": 30}, actor=max_, now=NOW)
    assert NurtureRule.objects.get().version == 2
    handoffs.return_(handoff=qualify(lead).handoffs.get(), reason="not_ready", actor=rita, now=LATER)
    kept = Nurture.objects.get()
    assert (kept.gain_points, kept.returns_at) == (10, LATER + 30 * DAY)


def test_a_lead_is_kept_warm_by_hand(lead, mara, rita):
    with pytest.raises(NurtureNotAllowed):
        nurtures.start(lead=lead, reason="Asked to", actor=rita, now=NOW)
    kept = nurtures.start(
        lead=lead, reason="Budget comes in May", returns_at=NOW + 60 * DAY, actor=mara, now=NOW
    )
    assert (kept.cause, kept.reason, kept.due_at) == ("manual", "Budget comes in May", NOW + 60 * DAY)
    run(NOW + 60 * DAY)
    assert (stage(lead), Lead.objects.count()) == ("lead", 1)


def test_the_end_of_the_lap_ends_it(returned, mara):
    lifecycle.move(
        lead=returned, to="disqualified", cause="manual", actor=mara, at=LATER, now=LATER, reason="Left"
    )
    kept = Nurture.objects.get()
    assert (kept.state, kept.ended_at) == ("ended", LATER)


def test_scores_computed_anew_bring_nobody_back_twice(returned):
    asks_for_demo(returned, at=NOW + 20 * DAY)
    scoring.recount(person_ids=[returned.person_id], now=NOW + 20 * DAY)
    assert run(NOW + 20 * DAY) == 1
    assert run(NOW + 21 * DAY) == 0
    assert Lead.objects.count() == 2
