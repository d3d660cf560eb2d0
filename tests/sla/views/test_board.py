"""The live board, and what the lead page shows of a clock."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sla.models import Clock, ClockState
from sla.services import clocks, sweep
from tests.sla.conftest import FRIDAY, HOUR, MONDAY, attempt, deliver, make_lead
from tests.sla.views.conftest import HTMX

pytestmark = pytest.mark.django_db


def names(response):
    return re.findall(r'class="who-name">([^<]+)<', response.content.decode())


@pytest.fixture
def board(clause, rep, other_rep, marketer, client_of, at):
    deliver(rep, MONDAY, lead=make_lead("Ada One", MONDAY - HOUR))
    deliver(other_rep, MONDAY + 3 * HOUR, lead=make_lead("Bob Two", MONDAY - HOUR))
    done = deliver(rep, MONDAY, lead=make_lead("Cleo Three", MONDAY - HOUR))
    attempt(done, rep, MONDAY + HOUR)
    at(MONDAY + 4.5 * HOUR)
    return client_of(marketer)


def test_open_promises_stand_in_the_order_of_their_deadlines(board):
    response = board.get("/sla/")
    assert names(response) == ["Ada One", "Bob Two"]
    page = response.content.decode()
    assert "Breached 30 min ago" in page
    assert "2 h 30 min left · " in page
    assert "1 of 2" in page
    assert "≥ 1 h 30 min" in page
    assert "in business time 1 h; 90% within 4 h 30 min; 1 answered; 2 waiting" in page


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("show=breached", ["Ada One"]),
        ("show=due_soon", []),
        ("show=ended", ["Cleo Three"]),
        ("state=met", ["Cleo Three"]),
        ("q=bob", ["Bob Two"]),
        ("sort=-due", ["Bob Two", "Ada One"]),
    ],
)
def test_the_board_is_narrowed_by_its_address(board, query, shown):
    assert names(board.get(f"/sla/?{query}")) == shown


def test_the_counts_refresh_alone(board):
    page = board.get("/sla/live/", headers=HTMX).content.decode()
    assert "Rita Rep" in page
    assert "<html" not in page


def test_the_board_costs_the_same_for_many_rows(board, rep):
    def cost():
        with CaptureQueriesContext(connection) as queries:
            board.get("/sla/")
        return len(queries)

    cost()
    few = cost()
    for _ in range(10):
        deliver(rep, MONDAY)
    assert cost() == few


def test_the_lead_page_shows_the_strip_and_why(rep, clause, client_of, at):
    handoff = deliver(rep, FRIDAY)
    sweep.run_once(now=MONDAY + 2 * HOUR)
    at(MONDAY + 2 * HOUR)
    page = client_of(rep).get(f"/leads/{handoff.lead_id}/").content.decode()
    assert "1 h left · " in page
    assert 'class="clock-strip"' in page
    assert "3 h of 4 h counted, by the calendar" in page
    assert "Closed hours" in page
    assert "Pause…" in page


def test_a_rep_pauses_and_resumes_from_the_lead_page(rep, clock_of, client_of, at):
    clock = clock_of()
    at(MONDAY + HOUR)
    client = client_of(rep)
    assert client.post(f"/sla/clocks/{clock.pk}/pause/", {"reason": " "}).status_code == 422
    response = client.post(f"/sla/clocks/{clock.pk}/pause/", {"reason": "asked to wait"})
    assert response["Location"] == f"/leads/{clock.handoff.lead_id}/"
    clock.refresh_from_db()
    assert clock.state == ClockState.PAUSED
    assert "Let it run again" in client.get(f"/leads/{clock.handoff.lead_id}/").content.decode()
    client.post(f"/sla/clocks/{clock.pk}/resume/")
    clock.refresh_from_db()
    assert clock.state == ClockState.RUNNING


def test_another_reps_clock_is_not_mine_to_pause(clock_of, other_rep, sales_manager, client_of, at):
    clock = clock_of()
    at(MONDAY + HOUR)
    path, reason = f"/sla/clocks/{clock.pk}/pause/", {"reason": "why not"}
    assert client_of(other_rep).post(path, reason).status_code == 403
    assert Clock.objects.get(pk=clock.pk).state == ClockState.RUNNING
    assert client_of(sales_manager).post(path, reason).status_code == 303
    assert client_of(sales_manager).post("/sla/clocks/987654/pause/", reason).status_code == 404


def test_the_timeline_tells_breaches_and_pauses(rep, clock_of, client_of, at):
    clock = clock_of()
    clocks.pause(clock=clock, at=MONDAY + HOUR, actor=rep, reason="asked to wait", now=MONDAY + HOUR)
    clocks.resume(clock=clock, at=MONDAY + 2 * HOUR, actor=rep, now=MONDAY + 2 * HOUR)
    at(MONDAY + 7 * HOUR)
    sweep.run_once(now=MONDAY + 7 * HOUR)
    page = client_of(rep).get(f"/leads/{clock.handoff.lead_id}/").content.decode()
    assert "Clock paused" in page
    assert "First response overdue" in page
