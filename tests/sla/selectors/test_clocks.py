"""Clocks as lists, panels and the API read them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sla.selectors import attainment
from sla.selectors import clocks as read
from sla.services import clocks, sweep
from smarketing.core.periods import Period
from tests.sla.conftest import FRIDAY, HOUR, MINUTE, MONDAY, attempt, deliver

pytestmark = pytest.mark.django_db
DUE = MONDAY + 4 * HOUR
ALL = Period(MONDAY - timedelta(days=30), MONDAY + timedelta(days=30))


def kinds(strip):
    return [(s.kind, s.start, s.end) for s in strip.segments]


def test_the_strip_of_a_weekend_says_why_nothing_counted(clock_of):
    clock = clock_of(FRIDAY)
    strip = read.strip(clock, now=MONDAY)
    assert kinds(strip) == [
        ("counting", FRIDAY, FRIDAY + HOUR),
        ("off_hours", FRIDAY + HOUR, MONDAY),
        ("counting", MONDAY, MONDAY + 3 * HOUR),
    ]
    assert strip.counted == HOUR
    assert [m.kind for m in strip.marks] == ["start", "due"]


def test_the_strip_of_a_pause_names_it(clock_of, rep):
    clock = clock_of()
    clocks.pause(clock=clock, at=MONDAY + HOUR, actor=rep, reason="on holiday", now=MONDAY + HOUR)
    clock.refresh_from_db()
    strip = read.strip(clock, now=MONDAY + 2 * HOUR)
    assert kinds(strip)[:2] == [
        ("counting", MONDAY, MONDAY + HOUR),
        ("paused", MONDAY + HOUR, MONDAY + 2 * HOUR),
    ]
    assert [(m.kind, m.detail) for m in strip.marks] == [("start", ""), ("pause", "Rita Rep · on holiday")]


def test_a_voided_breach_stays_on_the_strip(clock_of, rep):
    clock = clock_of()
    sweep.run_once(now=DUE + HOUR)
    attempt(clock.handoff, rep, MONDAY + HOUR, now=DUE + 2 * HOUR)
    clock.refresh_from_db()
    (breach,) = [m for m in read.strip(clock, now=DUE + 2 * HOUR).marks if m.kind == "breach"]
    assert breach.is_void
    assert breach.detail == "Void: Happened in time and was logged later."


@pytest.mark.parametrize(
    ("after", "tone", "breached"),
    [
        (HOUR, "ok", False),
        (3 * HOUR, "warn", False),
        (4 * HOUR, "warn", False),
        (4 * HOUR + MINUTE, "bad", True),
    ],
)
def test_a_view_is_true_before_any_sweep(clock_of, after, tone, breached):
    clock = clock_of()
    shown = read.views([clock], now=MONDAY + after)[clock.pk]
    assert (shown.tone, shown.is_breached, shown.due_at) == (tone, breached, DUE)


def test_a_view_counts_only_business_hours(clock_of):
    clock = clock_of(FRIDAY)
    shown = read.views([clock], now=FRIDAY)[clock.pk]
    assert shown.windows == [(FRIDAY, FRIDAY + HOUR), (MONDAY, MONDAY + 3 * HOUR)]


@pytest.mark.parametrize(("stopped", "done"), [(HOUR, "Met"), (5 * HOUR, "Met late")])
def test_an_ended_clock_says_how(clock_of, rep, stopped, done):
    clock = clock_of()
    attempt(clock.handoff, rep, MONDAY + stopped)
    clock.refresh_from_db()
    assert read.views([clock], now=DUE + 9 * HOUR)[clock.pk].done == done


@pytest.mark.parametrize("count", [1, 6])
def test_a_page_of_rows_costs_one_query(clause, rep, count):
    handoffs = [deliver(rep, MONDAY) for _ in range(count)]
    with CaptureQueriesContext(
        connection,
    ) as queries:
        found = read.for_handoffs([h.pk for h in handoffs])
        read.views(found.values(), now=MONDAY)
    assert len(queries) == 1
    assert set(found) == {h.pk for h in handoffs}
    assert set(read.for_leads([h.lead_id for h in handoffs])) == {h.lead_id for h in handoffs}


def test_attainment_counts_what_was_due(clock_of, rep):
    for offset, stopped in ((0, 1), (0, 5), (0, None), (HOUR, None)):
        clock = clock_of(MONDAY + (offset or timedelta(0)))
        if stopped:
            attempt(clock.handoff, rep, MONDAY + stopped * HOUR)
    gone = clock_of()
    clocks.cancel(clock=gone, at=MONDAY + HOUR, actor=rep, reason="returned", now=MONDAY + HOUR)
    found = attainment.attainment(period=ALL, now=DUE + 30 * MINUTE)
    assert (found.met, found.late, found.missed, found.running, found.due) == (1, 1, 1, 1, 3)
    assert attainment.attainment(period=Period(DUE + HOUR, None), now=DUE).due == 0
    assert attainment.attainment(period=Period(DUE + HOUR, None), now=DUE).ratio is None


def test_response_times_do_not_forget_those_who_wait(clock_of, rep):
    for stopped in (1, 2, 3):
        attempt(clock_of().handoff, rep, MONDAY + stopped * HOUR)
    clock_of()
    clock_of()
    now = MONDAY + 2.5 * HOUR
    times = attainment.response_times(period=ALL, now=now)
    assert (times.answered, times.waiting, times.never) == (3, 2, 0)
    assert times.oldest_waiting == 2.5 * HOUR
    assert (times.median, times.p90) == (2.5 * HOUR, 3 * HOUR)
    assert times.is_lower_bound


def test_leads_that_never_got_an_attempt_are_longer_than_all(clock_of, rep):
    attempt(clock_of().handoff, rep, MONDAY + HOUR)
    clock_of()
    sweep.run_once(now=MONDAY + timedelta(days=9))
    times = attainment.response_times(period=ALL, now=MONDAY + timedelta(days=9))
    assert (times.answered, times.waiting, times.never) == (1, 0, 1)
    assert (times.median, times.p90) == (HOUR, None)


def test_the_live_board_counts_open_promises(clock_of, rep, other_rep):
    clock_of()
    deliver(other_rep, MONDAY + 3 * HOUR)
    now = DUE + 2.5 * HOUR
    assert attainment.live(now=now) == attainment.Live(open=2, breached=1, due_soon=1, paused=0)
    assert [(load.name, load.open, load.breached) for load in attainment.loads(now=now)] == [
        ("Rita Rep", 1, 1),
        ("Otto Other", 1, 0),
    ]
