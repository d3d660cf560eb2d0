"""Clocks through their services, on the real database."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from funnel.models import Handoff, HandoffState
from funnel.services import handoffs, owners
from sla.domain.calendars import WeeklyCalendar
from sla.models import AgreementVersion, CalendarVersion, Clock, ClockAction, ClockEvent, ClockState
from sla.services import clocks, sweep
from sla.services.books import ClockRefused
from sla.services.clocks import HandoffHasExpired, InTheFuture
from smarketing.core.errors import Invalid
from tests.sla.conftest import FRIDAY, HOUR, MINUTE, MONDAY, SATURDAY, agree, attempt, deliver

pytestmark = pytest.mark.django_db
DUE = MONDAY + 4 * HOUR


def answer(handoff, actor, verb, at):
    handoff.refresh_from_db()
    if verb == "accepted":
        return handoffs.accept(handoff=handoff, actor=actor, now=at)
    return handoffs.return_(handoff=handoff, reason="no_need", note="has one", actor=actor, now=at)


def reopen(handoff, actor, now):
    handoffs.undo(handoff=handoff, actor=actor, now=now)


@pytest.mark.parametrize(
    ("delivered", "due"),
    [(FRIDAY, MONDAY + 3 * HOUR), (SATURDAY, MONDAY + 4 * HOUR), (MONDAY, MONDAY + 4 * HOUR)],
    ids=["friday 17:00", "saturday 15:00", "monday 10:00"],
)
def test_a_delivery_starts_a_clock_due_after_four_open_hours(clock_of, delivered, due):
    clock = clock_of(delivered)
    assert clock.started_at == delivered
    assert clock.due_at == due
    assert clock.state == ClockState.RUNNING
    assert [t["name"] for t in clock.thresholds] == [
        "warning_50",
        "warning_75",
        "warning_90",
        "breach",
        "expire",
    ]
    assert clock.next_at.isoformat() == clock.thresholds[0]["at"]


def test_without_an_agreement_nothing_runs(rep, db):
    AgreementVersion.objects.update(state="retired")
    deliver(rep, MONDAY)
    assert not Clock.objects.exists()


def test_a_call_in_time_meets_the_promise(clock_of, rep):
    clock = clock_of()
    attempt(clock.handoff, rep, MONDAY + 90 * MINUTE)
    clock.refresh_from_db()
    assert clock.state == ClockState.MET
    assert clock.ended_at == MONDAY + 90 * MINUTE
    assert clock.elapsed_seconds == 90 * 60
    assert clock.next_at is None


def test_a_call_exactly_on_the_deadline_is_in_time(clock_of, rep):
    clock = clock_of()
    attempt(clock.handoff, rep, DUE, now=DUE + HOUR)
    clock.refresh_from_db()
    assert clock.state == ClockState.MET
    assert [e.kind for e in clock.events.all()] == ["warning", "warning", "warning"]


def test_a_call_after_the_deadline_leaves_a_breach(clock_of, rep):
    clock = clock_of()
    attempt(clock.handoff, rep, DUE + MINUTE)
    clock.refresh_from_db()
    assert clock.state == ClockState.BREACHED_MET_LATE
    assert clock.breached_at == DUE
    breach = clock.events.get(kind="breach")
    assert breach.due_at == DUE
    assert breach.detected_at == DUE + MINUTE
    assert breach.voided_at is None


def test_a_call_logged_late_voids_the_breach_visibly(clock_of, rep):
    clock = clock_of()
    sweep.run_once(now=DUE + HOUR)
    attempt(clock.handoff, rep, MONDAY + 2.5 * HOUR, now=DUE + 2 * HOUR)
    clock.refresh_from_db()
    assert clock.state == ClockState.MET
    assert clock.breached_at is None
    assert clock.ended_at == MONDAY + 2.5 * HOUR
    voided = list(clock.events.filter(voided_at__isnull=False).values_list("kind", flat=True))
    assert voided == ["warning", "warning", "breach"]
    breach = clock.events.get(kind="breach")
    assert breach.void_reason == "Happened in time and was logged later."
    assert breach.voided_by == rep
    assert breach.due_at == DUE


@pytest.mark.parametrize("who", ["marketer", "automation", "before", "inbound"])
def test_what_is_no_answer_of_sales_stops_nothing(clock_of, rep, marketer, who):
    clock = clock_of()
    at = MONDAY - HOUR if who == "before" else MONDAY + HOUR
    attempt(
        clock.handoff,
        marketer if who == "marketer" else rep,
        at,
        now=MONDAY + HOUR,
        direction="inbound" if who == "inbound" else "outbound",
        is_automated=who == "automation",
    )
    clock.refresh_from_db()
    assert clock.state == ClockState.RUNNING
    assert clock.version == 1


def test_an_earlier_call_logged_after_a_later_one_counts_from_its_own_time(clock_of, rep):
    clock = clock_of()
    attempt(clock.handoff, rep, DUE + HOUR)
    attempt(clock.handoff, rep, MONDAY + HOUR, now=DUE + 2 * HOUR)
    clock.refresh_from_db()
    assert (clock.state, clock.ended_at, clock.elapsed_seconds) == (ClockState.MET, MONDAY + HOUR, 3600)
    attempt(clock.handoff, rep, DUE + 3 * HOUR)
    clock.refresh_from_db()
    assert clock.ended_at == MONDAY + HOUR


def test_the_future_stops_nothing(clock_of, rep):
    clock = clock_of()
    with pytest.raises(InTheFuture):
        clocks.stop(clock=clock, at=MONDAY + HOUR, actor=rep, now=MONDAY + HOUR - MINUTE)
    with pytest.raises(ClockRefused) as refused:
        clocks.stop(clock=clock, at=MONDAY - MINUTE, actor=rep, now=MONDAY + HOUR)
    assert refused.value.instance_code == "before_start"
    clock.refresh_from_db()
    assert clock.version == 1


def test_accepting_alone_does_not_stop_the_clock(clock_of, rep):
    clock = clock_of()
    answer(clock.handoff, rep, "accepted", MONDAY + HOUR)
    clock.refresh_from_db()
    assert clock.state == ClockState.RUNNING


def test_a_return_in_time_leaves_the_statistics(clock_of, rep):
    clock = clock_of()
    answer(clock.handoff, rep, "returned", MONDAY + HOUR)
    clock.refresh_from_db()
    assert clock.state == ClockState.CANCELLED
    assert clock.actions.get(verb="cancel").reason == "returned"


def test_a_return_after_the_breach_keeps_the_breach(clock_of, rep):
    clock = clock_of()
    answer(clock.handoff, rep, "returned", DUE + HOUR)
    clock.refresh_from_db()
    assert clock.state == ClockState.BREACHED_OPEN
    assert clock.ended_at == DUE + HOUR
    assert clock.breached_at == DUE
    assert clock.next_at is None
    assert list(Clock.objects.breached()) == [clock]
    assert list(Clock.objects.open()) == []
    assert sweep.run_once(now=DUE + 1000 * HOUR) == 0


def test_an_undone_return_lets_the_clock_run_as_if_nothing_had_been(clock_of, rep):
    clock = clock_of()
    before = Clock.objects.values().get(pk=clock.pk)
    answer(clock.handoff, rep, "returned", MONDAY + HOUR)
    reopen(clock.handoff, rep, MONDAY + HOUR + timedelta(seconds=8))
    after = Clock.objects.values().get(pk=clock.pk)
    changed = {k for k in before if before[k] != after[k]}
    assert changed == {"version"}
    assert [a.verb for a in clock.actions.all()] == ["start", "cancel", "reopen"]


def test_an_undone_return_across_the_deadline_is_a_breach_with_its_own_time(clock_of, rep):
    clock = clock_of()
    answer(clock.handoff, rep, "returned", DUE)
    reopen(clock.handoff, rep, DUE + timedelta(seconds=9))
    clock.refresh_from_db()
    assert clock.state == ClockState.BREACHED_OPEN
    assert clock.breached_at == DUE
    assert clock.ended_at is None
    assert clock.next_at is not None


def test_an_undone_return_after_the_breach_still_expires(clock_of, rep):
    clock = clock_of()
    answer(clock.handoff, rep, "returned", DUE + HOUR)
    reopen(clock.handoff, rep, DUE + HOUR)
    sweep.run_once(now=MONDAY + timedelta(days=7))
    assert Handoff.objects.get(pk=clock.handoff_id).state == HandoffState.EXPIRED


def test_an_undone_acceptance_changes_nothing(clock_of, rep):
    clock = clock_of()
    answer(clock.handoff, rep, "accepted", MONDAY + HOUR)
    reopen(clock.handoff, rep, MONDAY + HOUR)
    clock.refresh_from_db()
    assert (clock.state, clock.version) == (ClockState.RUNNING, 1)


def test_a_pause_keeps_the_open_time_that_is_left(clock_of, rep, clause):
    clause.terms = {"pause_hours": 40}
    clause.save(update_fields=["terms"])
    clock = clock_of()
    clocks.pause(
        clock=clock, at=MONDAY + HOUR, actor=rep, reason="On holiday until Wednesday", now=MONDAY + HOUR
    )
    clock.refresh_from_db()
    assert (clock.state, clock.due_at, clock.remaining_seconds) == (ClockState.PAUSED, None, 3 * 3600)
    assert sweep.run_once(now=DUE + HOUR) == 0
    wednesday = MONDAY + timedelta(days=2, hours=6)
    clocks.resume(clock=clock, at=wednesday, actor=rep, now=wednesday)
    clock.refresh_from_db()
    # 16:00 on Wednesday and three hours: two that day, one the next.
    assert clock.due_at == MONDAY + timedelta(days=3, hours=1)
    attempt(clock.handoff, rep, wednesday + HOUR)
    clock.refresh_from_db()
    assert (clock.state, clock.elapsed_seconds) == (ClockState.MET, 2 * 3600)


def test_a_pause_needs_a_reason(clock_of, rep):
    clock = clock_of()
    with pytest.raises(Invalid) as refused:
        clocks.pause(clock=clock, at=MONDAY, actor=rep, reason=" ", now=MONDAY)
    assert refused.value.errors[0].field == "reason"
    clock.refresh_from_db()
    assert clock.state == ClockState.RUNNING


def test_a_paused_clock_that_was_cancelled_and_reopened_is_paused_again(clock_of, rep):
    clock = clock_of()
    clocks.pause(clock=clock, at=MONDAY + HOUR, actor=rep, reason="asked to wait", now=MONDAY + HOUR)
    before = Clock.objects.values().get(pk=clock.pk)
    answer(clock.handoff, rep, "returned", MONDAY + 2 * HOUR)
    reopen(clock.handoff, rep, MONDAY + 2 * HOUR)
    after = Clock.objects.values().get(pk=clock.pk)
    assert {k for k in before if before[k] != after[k]} == {"version"}


@pytest.mark.parametrize(
    ("order", "state"),
    [
        (["pause", "cancel", "stop"], ClockState.MET),
        (["cancel", "stop"], ClockState.MET),
        (["pause", "cancel"], ClockState.CANCELLED),
        (["pause"], ClockState.PAUSED),
    ],
)
def test_at_one_instant_stop_wins_over_cancel_over_pause(clock_of, rep, order, state):
    clock = clock_of()
    doings = {
        "pause": lambda: clocks.pause(clock=clock, at=DUE, actor=rep, reason="wait", now=DUE),
        "cancel": lambda: clocks.cancel(clock=clock, at=DUE, actor=rep, reason="left", now=DUE),
        "stop": lambda: clocks.stop(clock=clock, at=DUE, actor=rep, now=DUE),
    }
    for verb in order:
        doings[verb]()
    clock.refresh_from_db()
    assert clock.state == state
    assert not ClockEvent.objects.filter(kind="breach").exists()


def test_silence_expires_the_handoff_at_three_times_the_target(clock_of):
    clock = clock_of()
    # Monday has eight open hours, Tuesday the other four of twelve.
    expiry = MONDAY + timedelta(days=1, hours=4)
    sweep.run_once(now=expiry)
    assert Handoff.objects.get(pk=clock.handoff_id).state == HandoffState.DELIVERED
    sweep.run_once(now=expiry + timedelta(seconds=1))
    clock.refresh_from_db()
    handoff = Handoff.objects.get(pk=clock.handoff_id)
    assert (handoff.state, handoff.answered_at) == (HandoffState.EXPIRED, expiry)
    assert (clock.state, clock.breached_at, clock.ended_at) == (ClockState.BREACHED_OPEN, DUE, expiry)


def test_an_accepted_handoff_does_not_expire(clock_of, rep):
    clock = clock_of()
    answer(clock.handoff, rep, "accepted", MONDAY + HOUR)
    sweep.run_once(now=MONDAY + timedelta(days=30))
    clock.refresh_from_db()
    assert (clock.state, clock.ended_at) == (ClockState.BREACHED_OPEN, None)
    attempt(clock.handoff, rep, MONDAY + timedelta(days=31))
    clock.refresh_from_db()
    assert clock.state == ClockState.BREACHED_MET_LATE


def test_an_answer_after_the_expiry_is_refused_though_no_sweep_has_run(clock_of, rep):
    clock = clock_of()
    late = MONDAY + timedelta(days=2)
    with pytest.raises(HandoffHasExpired):
        answer(clock.handoff, rep, "accepted", late)
    assert not ClockEvent.objects.exists()


def test_a_call_after_the_expiry_comes_too_late_for_the_clock(clock_of, rep):
    clock = clock_of()
    late = MONDAY + timedelta(days=2)
    attempt(clock.handoff, rep, late)
    sweep.run_once(now=late)
    clock.refresh_from_db()
    assert (clock.state, clock.ended_at) == (ClockState.BREACHED_OPEN, MONDAY + timedelta(days=1, hours=4))


def move(clock, owner, manager, at):
    owners.assign(lead=clock.handoff.lead, owner=owner, reason="manual", actor=manager, now=at)
    clock.refresh_from_db()


def test_moving_a_running_lead_buys_no_time(clock_of, rep, other_rep, sales_manager):
    clock = clock_of()
    move(clock, other_rep, sales_manager, MONDAY + HOUR)
    assert (clock.owner, clock.due_at, clock.state) == (other_rep, DUE, ClockState.RUNNING)
    assert clock.actions.get(verb="reassign").actor == sales_manager


def test_a_breach_stays_with_the_former_owner(clock_of, rep, other_rep, sales_manager):
    clock = clock_of()
    at = DUE + HOUR
    move(clock, other_rep, sales_manager, at)
    assert (clock.owner, clock.state, clock.ended_at) == (rep, ClockState.BREACHED_OPEN, at)
    fresh = Clock.objects.get(handoff=clock.handoff, cycle=2)
    assert (fresh.owner, fresh.due_at) == (other_rep, MONDAY + timedelta(days=1, hours=1))


def test_a_running_clock_keeps_its_clause_and_calendar_when_the_agreement_changes(clock_of, rep):
    clock = clock_of()
    newer = agree(HOUR, WeeklyCalendar.always())
    clock.refresh_from_db()
    assert clock.due_at == DUE
    assert clock.clause_id != newer.pk
    assert Clock.objects.get(handoff=deliver(rep, MONDAY)).due_at == MONDAY + HOUR


def test_the_ledger_says_what_was_before_and_after(clock_of, rep):
    clock = clock_of()
    attempt(clock.handoff, rep, MONDAY + HOUR)
    start, stop = ClockAction.objects.filter(clock=clock)
    assert (start.verb, start.at, start.actor) == ("start", MONDAY, None)
    assert (stop.verb, stop.at, stop.actor) == ("stop", MONDAY + HOUR, rep)
    assert stop.before == start.after
    assert (stop.before["state"], stop.after["state"]) == ("running", "met")


@pytest.mark.parametrize(
    "change",
    [
        lambda: ClockAction.objects.update(verb="nothing"),
        lambda: ClockAction.objects.all().delete(),
        lambda: ClockEvent.objects.update(level=9),
        lambda: CalendarVersion.objects.update(body={}),
    ],
)
def test_ledgers_are_never_rewritten(clock_of, rep, change):
    clock = clock_of()
    attempt(clock.handoff, rep, DUE + HOUR)
    with pytest.raises(IntegrityError), transaction.atomic():
        change()
