"""What the agreement says to routing: working hours and ceilings."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from funnel.models import Handoff, HandoffState, Pool, ReturnReason
from funnel.services import handoffs, pools
from sla.domain.calendars import WeeklyCalendar
from sla.models import Calendar, CalendarVersion, Clause
from sla.selectors import at_work
from smarketing.users.models import Membership, Team
from tests.sla.conftest import HOUR, MONDAY, agree, deliver, make_lead, make_user

pytestmark = pytest.mark.django_db
MORNING = MONDAY - 2 * HOUR  # Monday 8:00 UTC


def team_of(user):
    team = Team.objects.create(name=f"Team of {user.name}", side="sales")
    Membership.objects.create(team=team, user=user)
    return team


def routed():
    """A lead delivered on Monday to whoever the pool chooses."""
    giver = make_user("marketing_manager", "Mia Market")
    lead = make_lead(at=MONDAY - HOUR)
    return handoffs.deliver(lead=lead, actor=giver, now=MONDAY, override_reason="to whose turn it is")


def promise(version, position, *, metric="first_response", calendar=None, population=None, **more):
    side = "sales" if metric == "first_response" else "marketing"
    given = {"comparator": "<=", "target": 60, **more}
    return Clause.objects.create(
        version=version, position=position, side=side, metric=metric, calendar=calendar,
        population=population or {}, **given,
    )  # fmt: skip


def test_hours_are_those_of_the_clause_of_ones_team_else_of_all_else_the_default(rep, other_rep):
    both = [rep.pk, other_rep.pk]
    default = Calendar.objects.get(is_default=True)
    last = CalendarVersion.objects.filter(calendar=default).order_by("-number").first()
    opens = WeeklyCalendar.from_json(last.body)
    inside = opens.next_opening(MONDAY)
    Clause.objects.all().delete()
    assert at_work.in_hours(both, inside) == set(both)
    assert at_work.in_hours(both, inside - timedelta(seconds=1)) == set()
    clause = agree()  # 10 to 18 UTC
    early = Calendar.objects.create(name="Early birds")
    body = WeeklyCalendar.office("UTC", opens=6 * 60, closes=12 * 60).to_json()
    CalendarVersion.objects.create(calendar=early, number=1, body=body, created_at=MONDAY)
    promise(clause.version, 2, calendar=early, population={"team": team_of(other_rep).pk})
    assert at_work.in_hours(both, MORNING) == {other_rep.pk}
    assert at_work.in_hours(both, MONDAY) == set(both)
    assert at_work.in_hours(both, MONDAY + 2 * HOUR) == {rep.pk}  # half-open: 12:00 is closed
    body = WeeklyCalendar.office("UTC", opens=0, closes=60).to_json()
    CalendarVersion.objects.create(calendar=early, number=2, body=body, created_at=MONDAY)
    assert at_work.in_hours(both, MONDAY) == {rep.pk}  # what a new version says holds at once


def test_a_ceiling_counts_what_is_delivered_net_in_its_period(rep, other_rep):
    both = [rep.pk, other_rep.pk]
    clause = agree()
    first = deliver(rep, MONDAY)
    deliver(rep, MONDAY)
    assert at_work.at_ceiling(both, MONDAY, "A1") == set()
    ceiling = promise(
        clause.version, 2, metric="supply_count", calendar=clause.calendar, period="month",
        terms={"ceiling": 2}, target=1, comparator=">=",
    )  # fmt: skip
    assert at_work.at_ceiling(both, MONDAY, "A1") == {rep.pk}
    returned = Handoff.objects.filter(pk=first.pk)
    returned.update(state=HandoffState.RETURNED, return_reason=ReturnReason.NOT_READY)
    assert at_work.at_ceiling(both, MONDAY, "A1") == {rep.pk}  # not ready is no rejection
    returned.update(return_reason=ReturnReason.NO_FIT)
    assert at_work.at_ceiling(both, MONDAY, "A1") == set()
    returned.update(state=HandoffState.OVERTURNED)
    assert at_work.at_ceiling(both, MONDAY, "A1") == {rep.pk}
    zone = ZoneInfo("UTC")
    assert at_work.at_ceiling(both, datetime(2026, 2, 1, tzinfo=zone) + 24 * HOUR, "A1") == set()
    Clause.objects.filter(pk=ceiling.pk).update(population={"bands": ["C3"]})
    assert at_work.at_ceiling(both, MONDAY, "A1") == set()
    Clause.objects.filter(pk=ceiling.pk).update(population={}, terms={"ceiling": 2, "per": "team"})
    assert at_work.at_ceiling(both, MONDAY, "A1") == set(both)
    Clause.objects.filter(pk=ceiling.pk).update(population={"team": team_of(other_rep).pk})
    assert at_work.at_ceiling(both, MONDAY, "A1") == set()


def test_a_ceiling_on_value_counts_what_leads_of_their_cell_are_worth(rep, other_rep, monkeypatch):
    both = [rep.pk, other_rep.pk]
    clause = agree()
    handoff = deliver(rep, MONDAY)
    at_work.worth_in.cache_clear()
    told = []
    worth = {handoff.packet["scores"]["cell"]: 600.0}
    monkeypatch.setattr(
        at_work.commitments, "worth_of_cells", lambda *, before: told.append(before) or (worth, ())
    )
    promise(
        clause.version, 2, metric="supply_value", calendar=clause.calendar, period="month",
        terms={"ceiling": 1000}, target=1, comparator=">=",
    )  # fmt: skip
    assert at_work.at_ceiling(both, MONDAY, "A1") == set()
    deliver(rep, MONDAY)
    assert at_work.at_ceiling(both, MONDAY, "A1") == {rep.pk}
    assert told == [datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC"))]  # asked once an hour, not once a lead
    at_work.worth_in.cache_clear()


def test_a_lead_above_the_ceiling_goes_where_its_pool_says(rep, sales_manager):
    clause = agree()
    promise(
        clause.version, 2, metric="supply_count", calendar=clause.calendar, period="month",
        terms={"ceiling": 1}, target=1, comparator=">=",
    )  # fmt: skip
    second = make_user("rep", "Nora Next")
    pool = Pool.objects.get(is_default=True)
    pools.set_place(pool=pool, user=second, takes_leads=False, actor=sales_manager, now=MONDAY)
    spare = pools.create(name="Overflow", actor=sales_manager, now=MONDAY)
    pools.set_place(pool=spare, user=second, actor=sales_manager, now=MONDAY)
    routed()
    assert routed().owner == rep  # no rule: delivered all the same
    for overflow in ("wait", "pool"):
        changes = {"overflow": overflow, "overflow_pool": spare if overflow == "pool" else None}
        pools.update(pool=pool, changes=changes, actor=sales_manager, now=MONDAY)
        got = routed()
        assert (got.state, got.owner) == (
            (HandoffState.ASSEMBLING, None) if overflow == "wait" else (HandoffState.DELIVERED, second)
        )


def test_routing_asks_for_hours_and_ceilings_in_a_fixed_number_of_queries(
    rep, other_rep, django_assert_max_num_queries
):
    clause = agree()
    team = team_of(rep)
    promise(
        clause.version, 2, metric="supply_count", calendar=clause.calendar, period="month",
        terms={"ceiling": 5}, population={"team": team.pk}, target=1, comparator=">=",
    )  # fmt: skip
    many = [rep.pk, other_rep.pk, *(make_user("rep", f"Rep {n}").pk for n in range(10))]
    with django_assert_max_num_queries(6):
        at_work.in_hours(many, MONDAY)
        at_work.at_ceiling(many, MONDAY, "A1")
