"""The manager's day: debts, load, leakage and its money, speed with those who wait, pauses."""

from __future__ import annotations

from datetime import timedelta

import pytest

from funnel.models import Handoff
from sla.models import Clause
from sla.selectors import attainment, neglect
from sla.services import clocks, sweep
from smarketing.core.periods import Period
from tests.sla.conftest import HOUR, MONDAY, agree, attempt, deliver
from tests.sla.views.test_agreements import text_of

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
NOW = MONDAY + 3 * DAY
MONTH = Period(MONDAY - 11 * DAY, MONDAY + 19 * DAY)


@pytest.fixture(autouse=True)
def monday(at):
    at(NOW)


@pytest.fixture
def agreed(db):
    clause = agree()
    Clause.objects.create(
        version=clause.version, position=2, side="sales", metric="depth", comparator=">=", target=5,
        calendar=clause.calendar, terms={"within_days": 2},
    )  # fmt: skip
    return clause


def test_the_list_nobody_wants_to_be_on_is_made_of_open_breaches(agreed, rep, other_rep):
    mine, theirs = deliver(rep, MONDAY), deliver(other_rep, MONDAY)
    attempt(mine, rep, MONDAY + HOUR)
    attempt(theirs, other_rep, MONDAY + HOUR)
    attempt(deliver(rep, NOW - HOUR), rep, NOW - 0.5 * HOUR)
    deliver(rep, MONDAY + 2 * DAY)
    while sweep.run_once(now=NOW):
        pass
    first, second = neglect.debts(now=NOW)
    assert (first.name, first.overdue, first.by_kind) == ("Rita Rep", 2, {"depth": 1, "respond": 1})
    assert (second.name, second.overdue, second.oldest) == ("Otto Other", 1, MONDAY + DAY + 8 * HOUR)


def test_what_went_up_the_ladder_is_listed_at_its_furthest_step_while_it_is_open(
    agreed, rep, other_rep, sales_manager, client_of
):
    agreed.terms = {"lead_after_minutes": 30, "managers_after_minutes": 240}
    agreed.save(update_fields=["terms"])
    both, lead_only, done = deliver(rep, MONDAY), deliver(other_rep, MONDAY + 4 * HOUR), deliver(rep, MONDAY)
    at = MONDAY + DAY + HOUR  # five open hours after the first deadline, one after the second
    while sweep.run_once(now=at):
        pass
    attempt(done, rep, at)
    told = neglect.escalated(now=at)
    assert [(x.lead_id, x.step, x.owner) for x in told] == [
        (lead_only.lead_id, "lead", "Otto Other"),
        (both.lead_id, "managers", "Rita Rep"),
    ]
    page = text_of(client_of(sales_manager).get("/sla/day/"))
    assert "both managers were told" in page


def test_what_was_delivered_and_never_touched_leaks_with_its_money(agreed, rep):
    for number in range(10):
        old = deliver(rep, MONDAY - 60 * DAY + number * HOUR)
        Handoff.objects.filter(pk=old.pk).update(packet={"scores": {"cell": "A1"}})
    touched, leaked, unknown, young = (deliver(rep, at) for at in (MONDAY, MONDAY, MONDAY, NOW - HOUR))
    Handoff.objects.filter(pk=leaked.pk).update(packet={"scores": {"cell": "A1"}})
    Handoff.objects.filter(pk=unknown.pk).update(packet={"scores": {"cell": "C3"}})
    attempt(touched, rep, MONDAY + HOUR)
    assert set(neglect.leaked(MONTH, now=NOW).values_list("pk", flat=True)) == {leaked.pk, unknown.pk}
    told = neglect.leak(MONTH, now=NOW)
    assert (told.leads, told.delivered, told.worth, told.unknown) == (2, 3, 0.0, 1)
    assert young.pk


def test_speed_counts_those_who_still_wait(agreed, rep):
    for minutes in (30, 90):
        attempt(deliver(rep, MONDAY), rep, MONDAY + timedelta(minutes=minutes))
    deliver(rep, NOW - HOUR)
    told = dict(neglect.speeds(period=MONTH, now=NOW))
    assert told == {"1h": 1, "4h": 1, "1d": 0, "3d": 0, "longer": 0, "waiting": 1, "never": 0}
    assert attainment.response_times(period=MONTH, now=NOW).is_lower_bound


def test_the_page_shows_it_all(agreed, rep, client_of):
    clock = clocks.Clock.objects.get(handoff=deliver(rep, NOW - HOUR), kind="respond")
    clocks.pause(clock=clock, at=NOW - 0.5 * HOUR, actor=rep, reason="asked to wait", now=NOW - 0.5 * HOUR)
    deliver(rep, MONDAY)
    while sweep.run_once(now=NOW):
        pass
    client = client_of(rep)
    page = text_of(client.get("/sla/day/"))
    for text in (
        "be on this list",
        "asked to wait",
        "Who is drowning",
        "still waiting",
        "Rita Rep",
    ):
        assert text in page, text
    assert "Lena Lead" in text_of(client.get("/sla/day/leaks/"))
    assert "Promises and pace, both sides" in text_of(client.get("/alignment/"))
    assert "Every rep contacts" not in text_of(client.get("/supply/"))
