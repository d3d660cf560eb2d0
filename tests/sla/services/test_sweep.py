"""The sweep: at most once per level, whatever runs beside it and whenever it runs."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from funnel.models import Handoff
from funnel.services import handoffs
from leads.models import Person
from sla.models import Clause, Clock, ClockEvent, ClockState
from sla.services import clocks, sweep
from sla.services.books import ClockRefused
from sla.services.clocks import HandoffHasExpired
from smarketing.core import loops
from smarketing.notifications.models import Outbox
from tests.sla.conftest import HOUR, MINUTE, MONDAY, agree, attempt, deliver, make_user

WEEK_LATER = MONDAY + timedelta(days=7)


@pytest.mark.django_db
def test_a_threshold_exactly_now_does_not_fire_yet(clock_of):
    clock = clock_of()
    assert sweep.run_once(now=MONDAY + 2 * HOUR) == 0
    assert sweep.run_once(now=MONDAY + 2 * HOUR + timedelta(microseconds=1)) == 1
    event = clock.events.get()
    assert (event.level, event.kind, event.due_at) == (1, "warning", MONDAY + 2 * HOUR)


@pytest.mark.django_db
def test_an_event_carries_the_time_of_its_threshold_and_that_of_its_detection(clock_of):
    clock = clock_of()
    seen_at = MONDAY + timedelta(days=1)
    sweep.run_once(now=seen_at)
    assert list(clock.events.values_list("kind", "due_at", "detected_at")) == [
        ("warning", MONDAY + 2 * HOUR, seen_at),
        ("warning", MONDAY + 3 * HOUR, seen_at),
        ("warning", MONDAY + 3.6 * HOUR, seen_at),
        ("breach", MONDAY + 4 * HOUR, seen_at),
    ]
    clock.refresh_from_db()
    assert (clock.state, clock.breached_at) == (ClockState.BREACHED_OPEN, MONDAY + 4 * HOUR)


@pytest.mark.django_db
def test_a_second_sweep_finds_nothing(clock_of):
    clock_of()
    assert sweep.run_once(now=MONDAY + 5 * HOUR) == 1
    assert sweep.run_once(now=MONDAY + 5 * HOUR) == 0
    assert ClockEvent.objects.count() == 4


@pytest.mark.django_db
def test_a_machine_whose_clock_goes_back_fires_nothing_a_second_time(clock_of):
    """F-16: the hour that comes twice; the jump forward is held by the heartbeat (tests/core)."""
    clock = clock_of()
    sweep.run_once(now=MONDAY + 5 * HOUR)
    fired = list(ClockEvent.objects.filter(clock=clock).order_by("level").values_list("level", "due_at"))
    for minutes in (240, 250, 299, 301):
        assert sweep.run_once(now=MONDAY + minutes * MINUTE) == 0
    assert (
        list(ClockEvent.objects.filter(clock=clock).order_by("level").values_list("level", "due_at")) == fired
    )


@pytest.mark.django_db
def test_a_pass_handles_at_most_its_limit_oldest_first(clock_of):
    first, second = clock_of(MONDAY), clock_of(MONDAY + HOUR)
    assert sweep.run_once(now=WEEK_LATER, limit=1) == 1
    assert first.events.exists()
    assert not second.events.exists()


@pytest.mark.django_db
def test_the_lag_is_that_of_the_oldest_due_threshold(clock_of):
    clock_of()
    assert sweep.lag_seconds(now=MONDAY + 2 * HOUR) == 0
    assert sweep.lag_seconds(now=MONDAY + 2 * HOUR + MINUTE) == 60


def test_the_loop_is_registered():
    assert loops.get("clocks").run_once is sweep.run_once


@pytest.mark.django_db(transaction=True)
def test_four_sweeps_at_once_fire_each_level_once():
    agree()
    rep = make_user("rep", "Rita Rep")
    with transaction.atomic():
        for _ in range(25):
            deliver(rep, MONDAY)
    handled: list[int] = []
    failures: list[BaseException] = []
    gate = threading.Barrier(4)

    def run() -> None:
        try:
            gate.wait()
            while done := sweep.run_once(now=MONDAY + 5 * HOUR, limit=3):
                handled.append(done)
        except BaseException as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sweep.run_once(now=MONDAY + 5 * HOUR)
    assert failures == []
    assert sum(handled) <= 25
    assert ClockEvent.objects.count() == 25 * 4
    assert Clock.objects.filter(state=ClockState.BREACHED_OPEN, fired=4).count() == 25


@pytest.mark.django_db(transaction=True)
def test_the_sweep_passes_over_rows_that_somebody_holds():
    agree()
    rep = make_user("rep", "Rita Rep")
    with transaction.atomic():
        held, free = deliver(rep, MONDAY), deliver(rep, MONDAY)
    taken, done = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                Handoff.objects.select_for_update().get(pk=held.pk)
                taken.set()
                done.wait(10)
        finally:
            connections.close_all()

    thread = threading.Thread(target=hold)
    thread.start()
    taken.wait(10)
    try:
        assert sweep.run_once(now=MONDAY + 5 * HOUR) == 1
    finally:
        done.set()
        thread.join()
    assert set(ClockEvent.objects.values_list("clock__handoff_id", flat=True)) == {free.pk}
    assert sweep.run_once(now=MONDAY + 5 * HOUR) == 1


@pytest.mark.django_db(transaction=True)
def test_answers_and_an_expiring_sweep_at_once_leave_one_story():
    agree()
    rep = make_user("rep", "Rita Rep")
    delivered = [deliver(rep, MONDAY) for _ in range(12)]
    late = MONDAY + timedelta(days=3)
    refused: list[str] = []
    failures: list[BaseException] = []
    gate = threading.Barrier(3)

    def answer() -> None:
        try:
            gate.wait()
            for handoff in delivered:
                try:
                    handoffs.accept(handoff=handoff, actor=rep, now=late)
                except (HandoffHasExpired, handoffs.AlreadyAnswered) as error:
                    refused.append(error.instance_code)
        except BaseException as error:
            failures.append(error)
        finally:
            connections.close_all()

    def run() -> None:
        try:
            gate.wait()
            while sweep.run_once(now=late, limit=2):
                pass
        except BaseException as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=target) for target in (answer, run, run)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while sweep.run_once(now=late):
        pass
    assert failures == []
    assert len(refused) == 12
    assert set(Handoff.objects.values_list("state", flat=True)) == {"expired"}
    assert set(Clock.objects.values_list("state", "fired")) == {(ClockState.BREACHED_OPEN, 5)}
    assert ClockEvent.objects.count() == 12 * 5


# Actions in half hours after the start, so that many fall exactly on thresholds (2, 3, 4 and 12 h).
doings = st.lists(
    st.tuples(st.integers(0, 48), st.sampled_from(["stop", "cancel", "pause", "resume"])), max_size=5
)


def story(rep, todo, every, days=5):
    """Live through the actions with a sweep every so many minutes; return what the ledger says."""
    clock = Clock.objects.get(handoff=deliver(rep, MONDAY))
    moments = sorted(((MONDAY + n * 30 * MINUTE, verb) for n, verb in todo), key=lambda m: (m[0], m[1]))
    swept, refused = MONDAY, []
    for at, verb in [*moments, (MONDAY + timedelta(days=days), None)]:
        while every and swept + every <= at:
            swept += every
            sweep.run_once(now=swept)
        if verb is None:
            continue
        try:
            with transaction.atomic():
                if verb == "stop":
                    clocks.stop(clock=clock, at=at, actor=rep, now=at)
                elif verb == "cancel":
                    clocks.cancel(clock=clock, at=at, actor=rep, reason="left", now=at)
                elif verb == "pause":
                    clocks.pause(clock=clock, at=at, actor=rep, reason="wait", now=at)
                else:
                    clocks.resume(clock=clock, at=at, actor=rep, now=at)
        except ClockRefused as error:
            refused.append((at, verb, error.instance_code))
    sweep.run_once(now=MONDAY + timedelta(days=6))
    clock.refresh_from_db()
    return (
        list(clock.events.values_list("level", "kind", "due_at", "void_reason")),
        clock.state,
        clock.ended_at,
        clock.due_at,
        clock.breached_at,
        clock.thresholds,
        Handoff.objects.get(pk=clock.handoff_id).state,
        refused,
    )


@pytest.mark.django_db
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(todo=doings)
def test_results_do_not_depend_on_when_sweeps_ran(rep, clause, todo):
    told = []
    for minutes in (0, 17, 180, 1440):
        with transaction.atomic():
            told.append(story(rep, todo, minutes * MINUTE))
            connection.set_rollback(True)  # noqa: FBT003  the same story again
    assert told[1:] == told[:1] * 3


# The same with every kind of clock, limited pauses and a ladder; calls count for two of the clocks.
more_doings = st.lists(
    st.tuples(st.integers(0, 60), st.sampled_from(["call", "mail", "pause", "resume", "accept", "return"])),
    max_size=5,
)


def fuller_story(rep, todo, every):
    """Live through calls, pauses and answers; return what the ledger says of every clock."""
    handoff = deliver(rep, MONDAY)
    respond = Clock.objects.get(handoff=handoff, kind="respond")
    acts = {
        "call": lambda at: attempt(handoff, rep, at),
        "mail": lambda at: attempt(handoff, rep, at, kind="mail"),
        "pause": lambda at: clocks.pause(clock=respond, at=at, actor=rep, reason="wait", now=at),
        "resume": lambda at: clocks.resume(clock=respond, at=at, actor=rep, now=at),
        "accept": lambda at: handoffs.accept(handoff=handoff, actor=rep, now=at),
        "return": lambda at: handoffs.return_(handoff=handoff, reason="not_ready", actor=rep, now=at),
    }
    swept, refused = MONDAY, []
    for at, verb in [*sorted((MONDAY + n * 30 * MINUTE, verb) for n, verb in todo), (WEEK_LATER, None)]:
        while every and swept + every <= at:
            swept += every
            sweep.run_once(now=swept)
        handoff.refresh_from_db()
        if verb is not None:
            try:
                with transaction.atomic():
                    acts[verb](at)
            except (ClockRefused, HandoffHasExpired, handoffs.AlreadyAnswered) as error:
                refused.append((at, verb, type(error).__name__))
    while sweep.run_once(now=WEEK_LATER + timedelta(days=14)):
        pass
    return (
        [
            (c.kind, c.state, c.due_at, c.ended_at, c.breached_at, c.elapsed_seconds,
             list(c.events.values_list("level", "kind", "due_at", "void_reason")),
             list(c.actions.values_list("verb", "at", "reason")))
            for c in Clock.objects.filter(handoff=handoff).order_by("kind", "cycle")
        ],
        Handoff.objects.get(pk=handoff.pk).state,
        # An answer after the expiry is refused as expired or as answered, as a sweep has said so or not.
        [(at, verb) for at, verb, _ in refused],
    )  # fmt: skip


@pytest.mark.django_db
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(todo=more_doings)
def test_no_kind_of_clock_depends_on_when_sweeps_ran(rep, todo):
    told = []
    for minutes in (0, 17, 180, 1440):
        with transaction.atomic():
            clause = agree()
            clause.terms = {"pause_hours": 2, "lead_after_minutes": 60, "managers_after_minutes": 120}
            clause.save(update_fields=["terms"])
            for position, metric, target in [(2, "depth", 3), (3, "outcome", 3), (4, "return_feedback", 1)]:
                Clause.objects.create(
                    version=clause.version, position=position, side="sales", metric=metric, target=target,
                    calendar=clause.calendar, comparator="<=",
                )  # fmt: skip
            told.append(fuller_story(rep, todo, minutes * MINUTE))
            connection.set_rollback(True)  # noqa: FBT003  the same story again
    assert told[1:] == told[:1] * 3


@pytest.mark.django_db
@pytest.mark.parametrize(
    "todo", [[(8, "stop")], [(24, "cancel")], [(4, "pause"), (8, "resume"), (12, "stop")], []]
)
def test_a_sweep_every_minute_gives_the_same(rep, clause, todo):
    told = []
    for minutes in (0, 1):
        with transaction.atomic():
            told.append(story(rep, todo, minutes * MINUTE, days=2))
            connection.set_rollback(True)  # noqa: FBT003
    assert told[0] == told[1]


@pytest.mark.django_db
def test_each_level_leaves_the_process_once_and_people_hear_the_gravest(clock_of, rep, sales_manager):
    clock = clock_of()
    sweep.run_once(now=MONDAY + 2.5 * HOUR)
    told = Outbox.objects.filter(topic__startswith="clock.")
    warning = told.get()
    assert (warning.topic, warning.dedupe_key) == ("clock.warning", f"clock:{clock.pk}:1")
    assert warning.notice["user_ids"] == [rep.pk]
    assert warning.notice["text"] == "Lena Lead is waiting for a first attempt, due 12 Jan 2026, 14:00."
    assert warning.notice["link"] == f"/leads/{clock.handoff.lead_id}/"
    sweep.run_once(now=MONDAY + 5 * HOUR)
    sweep.run_once(now=MONDAY + 5 * HOUR)
    later = told.exclude(pk=warning.pk).order_by("pk")
    assert [(o.topic, bool(o.notice)) for o in later] == [
        ("clock.warning", False),
        ("clock.warning", False),
        ("clock.breached", True),
    ]
    assert later[2].notice["user_ids"] == sorted([rep.pk, sales_manager.pk])
    assert later[2].payload == {
        "clock_id": clock.pk,
        "handoff_id": clock.handoff_id,
        "lead_id": clock.handoff.lead_id,
        "owner_id": rep.pk,
        "promise": "respond",
        "level": 4,
        "kind": "breach",
        "due_at": "2026-01-12T14:00:00+00:00",
    }


@pytest.mark.django_db
def test_an_action_that_closes_the_books_tells_the_same(clock_of, rep):
    clock = clock_of()
    attempt(clock.handoff, rep, MONDAY + 5 * HOUR)
    told = Outbox.objects.filter(topic__startswith="clock.")
    keys = list(told.exclude(topic="clock.met").values_list("dedupe_key", flat=True))
    assert sorted(keys) == [f"clock:{clock.pk}:{n}" for n in (1, 2, 3, 4)]
    met = told.get(topic="clock.met").payload
    assert (met["state"], met["voided_levels"]) == ("breached_met_late", 0)


@pytest.mark.django_db
def test_an_attempt_logged_late_tells_receivers_that_the_breach_is_void(clock_of, rep):
    clock = clock_of()
    sweep.run_once(now=MONDAY + 5 * HOUR)
    attempt(clock.handoff, rep, MONDAY + HOUR, now=MONDAY + 6 * HOUR)
    (met,) = Outbox.objects.filter(topic="clock.met")
    assert met.payload == {
        "clock_id": clock.pk,
        "handoff_id": clock.handoff_id,
        "lead_id": clock.handoff.lead_id,
        "owner_id": rep.pk,
        "promise": "respond",
        "state": "met",
        "due_at": "2026-01-12T14:00:00+00:00",
        "ended_at": "2026-01-12T11:00:00+00:00",
        "voided_levels": 4,
    }
    assert met.notice == {}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "shown"),
    [(("100%s", "%1$s"), "100%s %1$s"), (("O'Hara", '"x"'), 'O\'Hara "x"'), (("", ""), "Lead {id}")],
)
def test_a_notice_names_the_lead_as_it_is_called(clock_of, name, shown):
    clock = clock_of()
    lead = clock.handoff.lead
    Person.objects.filter(pk=lead.person_id).update(first_name=name[0], last_name=name[1])
    sweep.run_once(now=MONDAY + 5 * HOUR)
    breach = Outbox.objects.get(topic="clock.breached")
    expected = f"First response to {shown.format(id=lead.pk)} is overdue (owner: Rita Rep)."
    assert breach.notice["text"] == expected


@pytest.mark.django_db
def test_the_queries_of_a_sweep_do_not_grow_with_its_clocks(clock_of, django_assert_num_queries):
    clock_of()
    with CaptureQueriesContext(connection) as few:
        assert sweep.run_once(now=MONDAY + 5 * HOUR) == 1
    sweep.run_once(now=WEEK_LATER)  # what has expired is done with
    for _ in range(12):
        clock_of(WEEK_LATER)
    with django_assert_num_queries(len(few)):
        assert sweep.run_once(now=WEEK_LATER + 5 * HOUR) == 12
