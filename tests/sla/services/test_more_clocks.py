"""Depth, outcome and feedback beside the first response; pauses that end; ladders; other hours."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from funnel.models import Handoff
from funnel.services import handoffs, lifecycle, owners, qualifications
from leads.services import activities
from sla.models import Calendar, Clause, Clock, ClockAction, ClockState
from sla.selectors import depth, pausing
from sla.services import calendars, clocks, recalculations, sweep
from sla.services.books import ClockRefused
from smarketing.core.periods import Period
from smarketing.notifications.models import Outbox
from smarketing.users.models import Membership, Team
from tests.sla.conftest import HOUR, MINUTE, MONDAY, agree, attempt, deliver, make_user

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
FURTHER = {
    "depth": {"target": 3, "terms": {"channels": 2, "days": 2, "within_days": 3}},
    "outcome": {"target": 5},
    "return_feedback": {"target": 1},
}


def promise(*metrics, **terms):
    """An agreement of four open hours and these further clauses."""
    first = agree()
    first.terms = terms
    first.save(update_fields=["terms"])
    for position, metric in enumerate(metrics, start=2):
        Clause.objects.create(
            version=first.version, position=position, side="sales", metric=metric, comparator="<=",
            calendar=first.calendar, **FURTHER[metric],
        )  # fmt: skip
    return first


def clock_of(handoff, kind):
    return Clock.objects.filter(handoff=handoff, kind=kind).order_by("-cycle").first()


def log(handoff, actor, at, *, kind="call", outcome="no_answer", now=None, **more):
    return activities.log(
        person=handoff.lead.person, lead=handoff.lead, kind=kind, outcome=outcome, occurred_at=at,
        actor=actor, now=now or at, **more,
    )  # fmt: skip


# --- depth ------------------------------------------------------------------------------------------


def test_each_promise_has_its_own_clock_and_hours(rep):
    promise("depth", "outcome", "return_feedback")
    handoff = deliver(rep, MONDAY)
    assert {c.kind: c.due_at for c in Clock.objects.filter(handoff=handoff)} == {
        "respond": MONDAY + 4 * HOUR,
        "depth": MONDAY + 2 * DAY + 8 * HOUR,
        "outcome": MONDAY + 4 * DAY + 8 * HOUR,
    }
    assert [t["name"] for t in clock_of(handoff, "depth").thresholds][-1] == "breach"


def test_depth_is_reached_by_enough_attempts_channels_and_days(rep):
    promise("depth")
    handoff = deliver(rep, MONDAY)
    log(handoff, rep, MONDAY + HOUR)
    log(handoff, rep, MONDAY + 2 * HOUR, kind="mail", outcome="sent")
    log(handoff, rep, MONDAY + 3 * HOUR)
    clock = clock_of(handoff, "depth")
    assert clock.state == ClockState.RUNNING
    now = depth.progress(clock, until=MONDAY + 4 * HOUR)
    assert (now.attempts, now.channels, now.days) == (3, 2, 1)
    log(handoff, rep, MONDAY + DAY)
    clock.refresh_from_db()
    assert (clock.state, clock.ended_at) == (ClockState.MET, MONDAY + DAY)
    assert clock_of(handoff, "respond").ended_at == MONDAY + HOUR


@pytest.mark.parametrize(
    ("kind", "outcome", "direction"),
    [("call", "reached", "outbound"), ("mail", "replied", "inbound"), ("meeting", "held", "outbound")],
)
def test_being_reached_satisfies_depth_at_once(rep, kind, outcome, direction):
    promise("depth")
    handoff = deliver(rep, MONDAY)
    log(handoff, rep, MONDAY + HOUR, kind=kind, outcome=outcome, direction=direction)
    assert clock_of(handoff, "depth").ended_at == MONDAY + HOUR


def test_automations_and_marketing_do_not_deepen_a_follow_up(rep, marketer):
    promise("depth")
    handoff = deliver(rep, MONDAY)
    for day in range(3):
        log(handoff, rep, MONDAY + day * DAY, kind="mail", outcome="sent", is_automated=True)
        log(handoff, marketer, MONDAY + day * DAY + HOUR)
    assert depth.progress(clock_of(handoff, "depth"), until=MONDAY + 3 * DAY).attempts == 0


def test_an_attempt_logged_late_voids_the_breach_of_depth(rep):
    promise("depth")
    handoff = deliver(rep, MONDAY)
    log(handoff, rep, MONDAY + HOUR)
    log(handoff, rep, MONDAY + DAY)
    later = MONDAY + 7 * DAY
    while sweep.run_once(now=later):
        pass
    clock = clock_of(handoff, "depth")
    assert clock.state == ClockState.BREACHED_OPEN
    log(handoff, rep, MONDAY + DAY + HOUR, kind="mail", outcome="sent", now=later)
    clock.refresh_from_db()
    assert (clock.state, clock.ended_at) == (ClockState.MET, MONDAY + DAY + HOUR)
    assert clock.events.get(kind="breach").void_reason == "Happened in time and was logged later."


def test_a_qualified_lead_satisfies_depth_and_outcome(rep):
    promise("depth", "outcome")
    handoff = deliver(rep, MONDAY)
    handoffs.accept(handoff=handoff, actor=rep, now=MONDAY + HOUR)
    assert clock_of(handoff, "outcome").state == ClockState.RUNNING
    qualifications.record(
        lead=handoff.lead,
        need="Sensors",
        budget=Decimal(1000),
        currency="EUR",
        actor=rep,
        now=MONDAY + 2 * HOUR,
    )
    for kind in ("depth", "outcome"):
        clock = clock_of(handoff, kind)
        assert (clock.state, clock.ended_at) == (ClockState.MET, MONDAY + 2 * HOUR)


# --- outcome and feedback -----------------------------------------------------------------------------


def test_a_return_is_an_outcome_and_asks_for_its_explanation(rep):
    promise("depth", "outcome", "return_feedback")
    handoff = deliver(rep, MONDAY)
    handoffs.return_(handoff=handoff, reason="not_ready", actor=rep, now=MONDAY + HOUR)
    assert clock_of(handoff, "outcome").state == ClockState.MET
    assert clock_of(handoff, "depth").state == ClockState.CANCELLED
    feedback = clock_of(handoff, "feedback")
    assert (feedback.state, feedback.due_at, feedback.owner) == (
        ClockState.RUNNING, MONDAY + DAY + HOUR, rep,
    )  # fmt: skip
    handoffs.explain(handoff=handoff, note="Budget next year.", actor=rep, now=MONDAY + 2 * DAY)
    feedback.refresh_from_db()
    assert (feedback.state, feedback.ended_at) == (ClockState.BREACHED_MET_LATE, MONDAY + 2 * DAY)


def test_a_return_with_a_note_has_explained_itself(rep):
    promise("return_feedback")
    handoff = deliver(rep, MONDAY)
    handoffs.return_(handoff=handoff, reason="no_fit", note="Too small.", actor=rep, now=MONDAY + HOUR)
    feedback = clock_of(handoff, "feedback")
    assert (feedback.state, feedback.elapsed_seconds) == (ClockState.MET, 0)


def test_a_return_is_explained_once_and_only_by_sales(rep, other_rep):
    promise("return_feedback")
    handoff = deliver(rep, MONDAY)
    with pytest.raises(handoffs.AlreadyAnswered):
        handoffs.explain(handoff=handoff, note="Too small.", actor=rep, now=MONDAY + HOUR)
    handoffs.return_(handoff=handoff, reason="not_ready", actor=rep, now=MONDAY + HOUR)
    handoff.refresh_from_db()
    with pytest.raises(handoffs.AnswerNotAllowed):
        handoffs.explain(handoff=handoff, note="x", actor=other_rep, now=MONDAY + 2 * HOUR)
    with pytest.raises(handoffs.ReturnNotPossible):
        handoffs.explain(handoff=handoff, note="  ", actor=rep, now=MONDAY + 2 * HOUR)
    assert clock_of(handoff, "feedback").state == ClockState.RUNNING


def test_a_return_taken_back_leaves_no_trace_in_the_statistics(rep):
    promise("depth", "outcome", "return_feedback")
    handoff = deliver(rep, MONDAY)
    at = MONDAY + HOUR
    handoffs.return_(handoff=handoff, reason="no_fit", note="Too small.", actor=rep, now=at)
    handoff.refresh_from_db()
    handoffs.undo(handoff=handoff, actor=rep, now=at + timedelta(seconds=5))
    assert {kind: clock_of(handoff, kind).state for kind in ("respond", "depth", "outcome", "feedback")} == {
        "respond": "running", "depth": "running", "outcome": "running", "feedback": "cancelled",
    }  # fmt: skip
    handoff.refresh_from_db()
    handoffs.return_(handoff=handoff, reason="not_ready", actor=rep, now=at + HOUR)
    feedback = clock_of(handoff, "feedback")
    assert (feedback.cycle, feedback.state) == (2, ClockState.RUNNING)


def test_the_explanation_stays_with_whoever_returned_the_lead(rep, other_rep, sales_manager):
    promise("return_feedback")
    handoff = deliver(rep, MONDAY)
    handoffs.return_(handoff=handoff, reason="not_ready", actor=rep, now=MONDAY + HOUR)
    owners.assign(
        lead=handoff.lead, owner=other_rep, reason="manual", actor=sales_manager, now=MONDAY + 2 * HOUR
    )
    assert clock_of(handoff, "feedback").owner == rep


# --- pauses -------------------------------------------------------------------------------------------


def test_a_pause_ends_by_itself_when_its_time_is_used_up(rep):
    promise(pause_hours=2)
    clock = clock_of(deliver(rep, MONDAY), "respond")
    clocks.pause(clock=clock, at=MONDAY + HOUR, actor=rep, reason="in a meeting", now=MONDAY + HOUR)
    clock.refresh_from_db()
    assert clock.resumes_at == MONDAY + 3 * HOUR
    assert sweep.run_once(now=MONDAY + 3 * HOUR) == 0
    assert sweep.run_once(now=MONDAY + 4 * HOUR) == 1
    clock.refresh_from_db()
    assert (clock.state, clock.due_at, clock.resumes_at) == (ClockState.RUNNING, MONDAY + 6 * HOUR, None)
    resumed = clock.actions.get(verb="resume")
    assert (resumed.at, resumed.actor) == (MONDAY + 3 * HOUR, None)


def test_the_limit_holds_per_lead_over_several_pauses(rep):
    promise(pause_hours=2)
    clock = clock_of(deliver(rep, MONDAY), "respond")
    clocks.pause(clock=clock, at=MONDAY, actor=rep, reason="asked to", now=MONDAY)
    clocks.resume(clock=clock, at=MONDAY + 90 * MINUTE, actor=rep, now=MONDAY + 90 * MINUTE)
    assert pausing.left_to(clock, at=MONDAY + 2 * HOUR) == 30 * MINUTE
    clocks.pause(clock=clock, at=MONDAY + 2 * HOUR, actor=rep, reason="again", now=MONDAY + 2 * HOUR)
    sweep.run_once(now=MONDAY + 3 * HOUR)
    with pytest.raises(ClockRefused) as refused:
        clocks.pause(clock=clock, at=MONDAY + 3 * HOUR, actor=rep, reason="more", now=MONDAY + 3 * HOUR)
    assert refused.value.instance_code == "pause_used_up"
    (told,) = pausing.by_person(period=Period(MONDAY, MONDAY + DAY), now=MONDAY + 4 * HOUR)
    assert (told.name, told.pauses, told.clocks, told.held) == ("Rita Rep", 2, 1, 2 * HOUR)
    assert told.reasons == ["again", "asked to"]


def test_an_action_after_the_pause_was_over_finds_it_over(rep):
    promise(pause_hours=1)
    clock = clock_of(deliver(rep, MONDAY), "respond")
    clocks.pause(clock=clock, at=MONDAY, actor=rep, reason="asked to", now=MONDAY)
    attempt(clock.handoff, rep, MONDAY + 5 * HOUR + MINUTE)
    clock.refresh_from_db()
    assert clock.state == ClockState.BREACHED_MET_LATE
    assert clock.breached_at == MONDAY + 5 * HOUR


# --- the ladder ----------------------------------------------------------------------------------------


def test_each_step_tells_whom_it_is_for(rep, sales_manager, marketing_manager):
    lead = make_user("sales_manager", "Lea Lead")
    team = Team.objects.create(name="North", side="sales")
    Membership.objects.create(team=team, user=rep)
    Membership.objects.create(team=team, user=lead, is_lead=True)
    promise(lead_after_minutes=60, managers_after_minutes=120)
    deliver(rep, MONDAY)
    told = []
    for hours in (4, 5, 6):
        while sweep.run_once(now=MONDAY + hours * HOUR + MINUTE):
            pass
        told.append(Outbox.objects.filter(topic__startswith="clock.").order_by("-pk").first())
    assert [o.topic for o in told] == ["clock.breached", "clock.escalated", "clock.escalated"]
    assert [o.notice["user_ids"] for o in told] == [
        [rep.pk],
        [lead.pk],
        sorted([sales_manager.pk, marketing_manager.pk, lead.pk]),
    ]


def test_the_third_step_gives_the_lead_to_another_rep_and_hides_nothing(rep, other_rep):
    promise(reassign_after_minutes=60)
    handoff = deliver(rep, MONDAY)
    old = clock_of(handoff, "respond")
    sweep.run_once(now=MONDAY + 5 * HOUR)
    assert clock_of(handoff, "respond") == old
    seen = MONDAY + 5 * HOUR + MINUTE
    sweep.run_once(now=seen)
    old.refresh_from_db()
    new = clock_of(handoff, "respond")
    assert (old.state, old.owner, old.ended_at) == (ClockState.BREACHED_OPEN, rep, seen)
    assert (new.state, new.owner, new.started_at, new.cycle) == (ClockState.RUNNING, other_rep, seen, 2)
    assert Handoff.objects.get(pk=handoff.pk).owner == other_rep


def test_without_anybody_else_the_lead_stays(rep):
    promise(reassign_after_minutes=60)
    handoff = deliver(rep, MONDAY)
    sweep.run_once(now=MONDAY + 6 * HOUR)
    clock = clock_of(handoff, "respond")
    assert (clock.owner, clock.cycle, clock.state) == (rep, 1, ClockState.BREACHED_OPEN)


def test_no_step_is_taken_that_was_not_agreed(rep, other_rep):
    promise()
    handoff = deliver(rep, MONDAY)
    sweep.run_once(now=MONDAY + 6 * HOUR)
    assert clock_of(handoff, "respond").owner == rep
    assert not Outbox.objects.filter(topic="clock.escalated").exists()


# --- other hours ---------------------------------------------------------------------------------------


def close_today(clause, *, day="2026-01-12", actor=None):
    calendar = Calendar.objects.get(pk=clause.calendar_id)
    body = calendar.versions.order_by("-number").first().body
    holidays = [*body["holidays"], {"date": day, "name": "Epiphany"}]
    return calendars.publish_version(
        calendar=calendar, body=body | {"holidays": holidays}, actor=actor, now=MONDAY + HOUR
    )


def test_a_holiday_added_later_gives_its_time_back_on_record(rep):
    clause = promise()
    clock = clock_of(deliver(rep, MONDAY), "respond")
    version = close_today(clause)
    assert recalculations.run_once(now=MONDAY + HOUR) == 1
    clock.refresh_from_db()
    assert (clock.due_at, clock.calendar_version) == (MONDAY + DAY + 4 * HOUR, version)
    action = clock.actions.get(verb="recalculate")
    assert action.before["due_at"] == (MONDAY + 4 * HOUR).isoformat()
    assert action.after["due_at"] == (MONDAY + DAY + 4 * HOUR).isoformat()
    assert action.before["calendar_version"] != action.after["calendar_version"] == version.pk
    assert recalculations.run_once(now=MONDAY + HOUR) == 0


def test_what_has_fired_or_ended_stays_as_it_was(rep):
    clause = promise()
    met, open_ = (clock_of(deliver(rep, MONDAY), "respond") for _ in range(2))
    attempt(met.handoff, rep, MONDAY + HOUR)
    sweep.run_once(now=MONDAY + 2.5 * HOUR)
    close_today(clause, day="2026-01-13")
    before = Clock.objects.values().get(pk=met.pk)
    assert recalculations.run_once(now=MONDAY + 2.5 * HOUR) == 1
    assert Clock.objects.values().get(pk=met.pk) == before
    open_.refresh_from_db()
    assert [t["name"] for t in open_.thresholds[: open_.fired]] == ["warning_50"]
    assert open_.due_at == MONDAY + 4 * HOUR


def test_longer_hours_never_put_a_deadline_into_the_past(rep):
    clause = promise()
    clock = clock_of(deliver(rep, MONDAY - DAY + 8 * HOUR), "respond")  # Sunday evening
    calendar = Calendar.objects.get(pk=clause.calendar_id)
    body = calendar.versions.first().body
    whole = {"week": body["week"] | {"sun": [["00:00", "24:00"]], "mon": [["00:00", "24:00"]]}}
    calendars.publish_version(calendar=calendar, body=body | whole, actor=None, now=MONDAY)
    recalculations.run_once(now=MONDAY)
    clock.refresh_from_db()
    assert clock.due_at == MONDAY
    assert clock.events.count() == 0
    sweep.run_once(now=MONDAY + MINUTE)
    clock.refresh_from_db()
    assert (clock.state, clock.breached_at) == (ClockState.BREACHED_OPEN, MONDAY)


def test_a_paused_clock_keeps_waiting_by_the_new_hours(rep):
    clause = promise()
    clock = clock_of(deliver(rep, MONDAY), "respond")
    clocks.pause(clock=clock, at=MONDAY + HOUR, actor=rep, reason="asked to", now=MONDAY + HOUR)
    close_today(clause)
    recalculations.run_once(now=MONDAY + 2 * HOUR)
    clock.refresh_from_db()
    assert (clock.state, clock.remaining_seconds) == (ClockState.PAUSED, 4 * 3600)
    clocks.resume(clock=clock, at=MONDAY + DAY, actor=rep, now=MONDAY + DAY)
    clock.refresh_from_db()
    assert clock.due_at == MONDAY + DAY + 4 * HOUR
    assert ClockAction.objects.filter(clock=clock).count() == 4


def test_a_lead_that_is_closed_after_its_handoff_ran_out_is_no_mistake(rep, sales_manager):
    promise("depth", "outcome")
    handoff = deliver(rep, MONDAY)
    later = MONDAY + 9 * DAY
    lifecycle.move(
        lead=handoff.lead, to="disqualified", cause="manual", reason="gone", actor=sales_manager, at=later,
        now=later,
    )  # fmt: skip
    while sweep.run_once(now=later):
        pass
    expired_at = MONDAY + DAY + 4 * HOUR
    assert Handoff.objects.get(pk=handoff.pk).state == "expired"
    assert {c.kind: (c.state, c.ended_at) for c in Clock.objects.filter(handoff=handoff)} == {
        "respond": (ClockState.BREACHED_OPEN, expired_at),
        "depth": (ClockState.CANCELLED, expired_at),
        "outcome": (ClockState.CANCELLED, expired_at),
    }
