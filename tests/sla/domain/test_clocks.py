"""Clocks: every transition, ties, pauses, late records, and independence from the sweep schedule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sla.domain import clocks
from sla.domain.calendars import WeeklyCalendar
from sla.domain.clocks import Action, ClockRefused, ClockState, Status, Threshold

HOUR = timedelta(hours=1)
OFFICE = WeeklyCalendar.office("UTC")
MONDAY = datetime(2026, 1, 5, 10, tzinfo=UTC)


def running(target: timedelta = 4 * HOUR, **more: object) -> ClockState:
    return clocks.start(MONDAY, clocks.plan(MONDAY, target=target, calendar=OFFICE, **more))


def test_thresholds_stand_at_50_75_and_90_percent_and_the_deadline():
    levels = [(t.level, t.name, t.at - MONDAY) for t in running().thresholds]
    assert levels == [
        (1, "warning_50", 2 * HOUR),
        (2, "warning_75", 3 * HOUR),
        (3, "warning_90", 3.6 * HOUR),
        (4, "breach", 4 * HOUR),
    ]


def test_a_warning_waits_for_the_minutes_before_the_deadline():
    thresholds = running(warn_before=timedelta(minutes=30)).thresholds
    assert [(t.name, t.at - MONDAY) for t in thresholds] == [
        ("warning_75", 3.5 * HOUR),
        ("warning_90", 3.6 * HOUR),
        ("breach", 4 * HOUR),
    ]


def test_a_zero_target_has_no_warnings():
    assert [t.name for t in running(timedelta(0)).thresholds] == ["breach"]


def test_levels_after_the_breach_count_open_time():
    clock = running(8 * HOUR, after=[("expire", 4 * HOUR)])
    assert clock.thresholds[-1] == Threshold(5, "expire", "after", MONDAY + timedelta(days=1, hours=4))


def test_a_stop_exactly_on_the_deadline_meets_it():
    outcome = clocks.stop(running(), MONDAY + 4 * HOUR)
    assert outcome.clock.status is Status.MET
    assert [t.name for t in outcome.fired] == ["warning_50", "warning_75", "warning_90"]
    assert outcome.clock.next_at is None


def test_a_late_answer_is_breached_and_met_late():
    late = MONDAY + 4 * HOUR + timedelta(microseconds=1)
    outcome = clocks.stop(running(), late)
    assert outcome.clock.status is Status.BREACHED_MET_LATE
    assert outcome.fired[-1].name == "breach"
    assert outcome.fired[-1].at == MONDAY + 4 * HOUR
    assert outcome.clock.ended_at == late


def test_a_call_recorded_after_the_breach_voids_it():
    breached = clocks.close_the_books(running(), MONDAY + 6 * HOUR).clock
    assert breached.status is Status.BREACHED_OPEN
    outcome = clocks.stop(breached, MONDAY + 3 * HOUR)
    assert outcome.clock.status is Status.MET
    assert [t.name for t in outcome.voided] == ["warning_75", "warning_90", "breach"]
    assert outcome.fired == ()


def test_a_pause_keeps_the_remaining_open_time():
    paused = clocks.pause(running(), MONDAY + HOUR, OFFICE).clock
    assert (paused.status, paused.remaining, paused.due_at, paused.next_at) == (
        Status.PAUSED, 3 * HOUR, None, None,
    )  # fmt: skip
    resumed = clocks.resume(paused, MONDAY + 7 * HOUR, OFFICE).clock
    assert resumed.due_at == MONDAY + timedelta(days=1, hours=2)
    assert [t.at for t in resumed.thresholds[:2]] == [
        MONDAY + 8 * HOUR,
        MONDAY + timedelta(days=1, hours=1),
    ]


def test_nothing_fires_while_paused():
    paused = clocks.pause(running(), MONDAY + HOUR, OFFICE).clock
    assert clocks.close_the_books(paused, MONDAY + timedelta(days=9)).fired == ()


def test_overlapping_pauses_are_refused_so_they_count_once():
    paused = clocks.pause(running(), MONDAY + HOUR, OFFICE).clock
    with pytest.raises(ClockRefused) as refused:
        clocks.pause(paused, MONDAY + 2 * HOUR, OFFICE)
    assert refused.value.code == "already_paused"


def test_cancelling_leaves_the_statistics_unless_the_promise_was_broken():
    assert clocks.cancel(running(), MONDAY + HOUR).clock.status is Status.CANCELLED
    broken = clocks.cancel(running(after=[("expire", HOUR)]), MONDAY + 4.5 * HOUR).clock
    assert broken.status is Status.BREACHED_OPEN
    assert broken.ended_at == MONDAY + 4.5 * HOUR
    assert broken.next_at is None
    assert not broken.is_open


@pytest.mark.parametrize("kind", ["stop", "cancel", "pause", "resume"])
@pytest.mark.parametrize("end", ["stop", "cancel"])
def test_an_ended_clock_refuses_everything(kind, end):
    ended = clocks.apply(running(), Action(end, MONDAY + HOUR), OFFICE).clock
    with pytest.raises(ClockRefused) as refused:
        clocks.apply(ended, Action(kind, MONDAY + 2 * HOUR), OFFICE)
    assert refused.value.code == "ended"


@pytest.mark.parametrize(("kind", "code"), [("pause", "breached"), ("resume", "not_paused")])
def test_a_breached_clock_cannot_be_paused_or_resumed(kind, code):
    with pytest.raises(ClockRefused) as refused:
        clocks.apply(running(), Action(kind, MONDAY + (5 if kind == "pause" else 1) * HOUR), OFFICE)
    assert refused.value.code == code


def test_an_action_before_the_start_is_refused():
    with pytest.raises(ClockRefused, match="before the clock started"):
        clocks.stop(running(), MONDAY - HOUR)


def test_at_one_instant_stop_wins_over_cancel_over_pause():
    at = MONDAY + HOUR
    every = [Action("pause", at), Action("resume", at), Action("cancel", at), Action("stop", at)]
    assert clocks.apply_all(running(), every, OFFICE).clock.status is Status.MET
    assert clocks.apply_all(running(), every[:3], OFFICE).clock.status is Status.CANCELLED
    assert clocks.apply_all(running(), every[:2], OFFICE).clock.status is Status.PAUSED


def test_a_shorter_target_moves_the_levels_and_tells_nothing_twice():
    at = MONDAY + 2.5 * HOUR
    shorter = clocks.plan(MONDAY, target=3 * HOUR, calendar=OFFICE)
    outcome = clocks.recalculate(running(), at, shorter)
    assert [t.name for t in outcome.fired] == ["warning_50"]
    assert [(t.level, t.name, t.at - MONDAY) for t in outcome.clock.thresholds] == [
        (1, "warning_50", 2 * HOUR),
        (2, "warning_75", 2.25 * HOUR),
        (3, "warning_90", 2.7 * HOUR),
        (4, "breach", 3 * HOUR),
    ]
    assert clocks.close_the_books(outcome.clock, MONDAY + 4 * HOUR).fired == outcome.clock.thresholds[1:]


def test_thresholds_survive_storage():
    threshold = running().thresholds[2]
    assert Threshold.from_json(threshold.to_json()) == threshold


minutes = st.integers(0, 4 * 24 * 60).map(lambda m: MONDAY + timedelta(minutes=m))
actions = st.lists(
    st.builds(Action, st.sampled_from(["stop", "cancel", "pause", "resume"]), minutes), max_size=8
)


@settings(max_examples=300)
@given(actions, st.lists(minutes, max_size=12), st.integers(0, 20), st.booleans())
def test_results_do_not_depend_on_when_sweeps_ran(todo, sweeps, target_hours, after):
    end = MONDAY + timedelta(days=9)
    first = running(target_hours * HOUR, after=[("expire", 3 * HOUR)] if after else ())
    expected = clocks.apply_all(first, todo, OFFICE)
    last = clocks.close_the_books(expected.clock, end)
    expected_events = expected.fired + last.fired

    clock, events = first, []
    steps = sorted(
        [(s, -1, None) for s in sweeps] + [(a.at, i, a) for i, a in enumerate(clocks.in_order(todo))],
        key=lambda step: step[:2],
    )
    for at, _, action in steps:
        swept = clocks.close_the_books(clock, at)
        clock, events = swept.clock, events + list(swept.fired)
        if action is not None:
            acted = clocks.apply_all(clock, [action], OFFICE)
            clock, events = acted.clock, events + list(acted.fired)
            assert acted.voided == ()
    swept = clocks.close_the_books(clock, end)
    assert swept.clock == last.clock
    assert tuple(events) + swept.fired == expected_events
    assert len({t.level for t in expected_events}) == len(expected_events)


@settings(max_examples=200)
@given(actions, minutes)
def test_next_at_is_set_exactly_while_a_counting_clock_has_levels_left(todo, at):
    clock = clocks.close_the_books(clocks.apply_all(running(), todo, OFFICE).clock, at).clock
    left = clock.fired < len(clock.thresholds)
    assert (clock.next_at is not None) == (clock.status in clocks.COUNTING and left)
