"""Commitments on the real database: what each metric counts, and that every number opens its leads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from funnel.models import Handoff
from funnel.services import handoffs, opportunities
from leads.services import activities
from sla.models import AgreementState, AgreementVersion, Clause, Commitment, Restatement
from sla.selectors import agreements, closed, commitments, deliveries, mine
from sla.services import commitments as services
from sla.services import sweep
from smarketing.core.periods import Period, quarter_of, week_of
from smarketing.users.models import Membership, Team
from smarketing.users.selectors import organisation
from tests.sla.conftest import HOUR, MONDAY, agree, attempt, deliver, make_lead, make_user

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
FEBRUARY = datetime(2026, 2, 1, tzinfo=UTC)


@pytest.fixture
def version(rep):
    """An agreement with office hours and only the clauses that a test adds."""
    AgreementVersion.objects.filter(number=1).update(in_force_from=MONDAY - 365 * DAY)
    made = agree().version
    AgreementVersion.objects.filter(pk=made.pk).update(in_force_from=MONDAY - 40 * DAY)
    return made


def promise(version, metric, target, *, period="month", position=9, **more):
    first = version.clauses.first()
    return Clause.objects.create(
        version=version, position=position, side="sales", metric=metric, comparator=">=", target=target,
        period=period, calendar=first.calendar, **more,
    )  # fmt: skip


def standing(clause, *, now, owner=None, back=0):
    lines = commitments.lines(now=now, owner=owner, back=back)
    return next(line for line in lines if line.clause.pk == clause.pk).standing


def opened(clause, cell, *, now, period=None):
    spec = agreements.spec_of(clause)
    period = period or commitments.span_of(spec, now, zone=organisation.zone())
    return deliveries.cells(spec, period, now=now)[cell].count()


def returned(handoff, rep, reason, at):
    handoffs.return_(handoff=handoff, reason=reason, note="said so", actor=rep, now=at)


# --- supply -------------------------------------------------------------------------------------------


def test_supply_is_counted_net_of_rejections_by_working_days(version, rep):
    clause = promise(version, "supply_count", 10)
    kept, back, early = (deliver(rep, MONDAY) for _ in range(3))
    returned(back, rep, "no_fit", MONDAY + HOUR)
    returned(early, rep, "not_ready", MONDAY + HOUR)
    # January 2026 has 22 working days; at the end of the 16th twelve of them have passed.
    told = standing(clause, now=datetime(2026, 1, 16, 18, tzinfo=UTC))
    assert (told.promised, told.gross, told.net, told.done) == (10, 3, 2, 2)
    assert told.due == pytest.approx(10 * 12 / 22)
    assert told.forecast == pytest.approx(2 * 22 / 12)
    assert told.is_kept is False
    assert opened(clause, "gross", now=MONDAY + DAY) == 3
    assert opened(clause, "net", now=MONDAY + DAY) == 2
    assert list(
        deliveries.cells(agreements.spec_of(clause), Period(MONDAY, None), now=MONDAY)["rejected"]
    ) == [Handoff.objects.get(pk=back.pk)]
    assert kept.pk != back.pk


def test_an_overturned_return_counts_for_marketing(version, rep):
    clause = promise(version, "supply_count", 10)
    handoff = deliver(rep, MONDAY)
    returned(handoff, rep, "no_fit", MONDAY + HOUR)
    assert standing(clause, now=MONDAY + DAY).net == 0
    Handoff.objects.filter(pk=handoff.pk).update(state="overturned")
    assert standing(clause, now=MONDAY + DAY).net == 1


def test_the_ceiling_holds_per_rep_and_each_rep_has_a_part(version, rep, other_rep):
    clause = promise(version, "supply_count", 2, terms={"ceiling": 2})
    for _ in range(3):
        deliver(rep, MONDAY)
    deliver(other_rep, MONDAY)
    told = standing(clause, now=FEBRUARY, back=1)
    assert (told.promised, told.net, told.done, told.is_kept) == (4, 4, 3, False)
    mine_ = standing(clause, now=FEBRUARY, owner=other_rep, back=1)
    assert (mine_.promised, mine_.net, mine_.is_kept) == (2, 1, False)


def test_supply_for_all_together_has_no_part_for_one_rep(version, rep, other_rep):
    clause = promise(version, "supply_count", 2, terms={"per": "team"})
    deliver(rep, MONDAY)
    deliver(rep, MONDAY)
    assert standing(clause, now=FEBRUARY, back=1).is_kept is True
    told = mine.of(rep, now=FEBRUARY, back=1)
    assert clause.pk not in {line.clause.pk for line in (*told.own, *told.owed)}


def test_a_clause_for_some_cells_or_one_team_counts_only_those(version, rep, other_rep):
    team = Team.objects.create(name="North", side="sales")
    Membership.objects.create(team=team, user=rep)
    hot = promise(version, "supply_count", 1, population={"bands": ["A1"]}, position=8)
    north = promise(version, "supply_count", 1, population={"team": team.pk})
    first, second = deliver(rep, MONDAY), deliver(other_rep, MONDAY)
    Handoff.objects.filter(pk=second.pk).update(packet={"scores": {"cell": "A1"}})
    Handoff.objects.filter(pk=first.pk).update(packet={"scores": {"cell": "B2"}})
    assert standing(hot, now=MONDAY + DAY).gross == 1
    told = standing(north, now=MONDAY + DAY)
    assert (told.promised, told.gross) == (1, 1)


def test_value_is_learned_from_the_year_before(version, rep):
    clause = promise(version, "supply_value", 1000, terms={"per": "team"})
    for number in range(10):
        handoff = deliver(rep, MONDAY - 30 * DAY + number * HOUR)
        Handoff.objects.filter(pk=handoff.pk).update(packet={"scores": {"cell": "A1"}})
    deal = opportunities.open(
        lead=handoff.lead, name="Deal", product=None, amount=Decimal(5000), currency="USD", owner=rep,
        opened_at=MONDAY - 20 * DAY, expected_close_on=None, actor=rep, now=MONDAY - 20 * DAY,
    )  # fmt: skip
    opportunities.move(opportunity=deal, to="won", actor=rep, now=MONDAY - 15 * DAY)
    worth, unknown = commitments.worth_of_cells(before=MONDAY)
    assert (worth, unknown) == ({"A1": 500.0}, ())
    for cell in ("A1", "A1", "C3"):
        handoff = deliver(rep, MONDAY)
        Handoff.objects.filter(pk=handoff.pk).update(packet={"scores": {"cell": cell}})
    told = standing(clause, now=MONDAY + DAY)
    assert told.gross == 1000.0


# --- rates ---------------------------------------------------------------------------------------------


def test_touched_and_worked_are_two_numbers(version, rep, marketer):
    touched, worked = promise(version, "touched", 90, position=7), promise(version, "worked", 80)
    called, sent_back, silent, early = (deliver(rep, MONDAY) for _ in range(4))
    attempt(called, rep, MONDAY + HOUR)
    returned(sent_back, rep, "no_fit", MONDAY + HOUR)
    attempt(silent, marketer, MONDAY + HOUR)
    attempt(early, rep, MONDAY - HOUR, now=MONDAY)
    now = MONDAY + 2 * HOUR
    assert (standing(touched, now=now).net, standing(touched, now=now).due) == (1, 4)
    assert (standing(worked, now=now).net, standing(worked, now=now).due) == (1, 4)
    assert opened(touched, "failed", now=now) == 3
    assert opened(worked, "reached", now=now) == 1


def test_leads_younger_than_the_grace_are_not_judged_yet(version, rep):
    clause = promise(version, "worked", 80, grace_seconds=86_400)
    deliver(rep, MONDAY)
    deliver(rep, MONDAY + DAY)
    told = standing(clause, now=MONDAY + DAY + HOUR)
    assert (told.due, told.pending, told.gross) == (1, 1, 2)


def test_an_override_counts_against_marketing(version, rep):
    clause = promise(version, "minimum_information", 95)
    first, second = deliver(rep, MONDAY), deliver(rep, MONDAY)
    Handoff.objects.filter(pk=first.pk).update(override_reason="")
    Handoff.objects.filter(pk=second.pk).update(override_reason="asked for by name")
    told = standing(clause, now=MONDAY + DAY)
    assert (told.value, told.is_kept) == (0.5, False)


def test_acceptance_is_that_of_the_answered(version, rep):
    clause = promise(version, "acceptance", 60)
    yes, no, _waiting = (deliver(rep, MONDAY) for _ in range(3))
    handoffs.accept(handoff=yes, actor=rep, now=MONDAY + HOUR)
    returned(no, rep, "no_need", MONDAY + HOUR)
    told = standing(clause, now=MONDAY + 2 * HOUR)
    assert (told.net, told.due, told.pending, told.is_kept) == (1, 2, 1, False)


def test_the_close_rate_is_that_of_leads_whose_time_is_over(version, rep):
    clause = promise(version, "close_rate", 50, terms={"maturity_days": 10})
    ripe, late, _young = (
        deliver(rep, MONDAY - 10 * DAY),
        deliver(rep, MONDAY - 10 * DAY),
        deliver(rep, MONDAY),
    )
    for handoff, days in ((ripe, 5), (late, 12)):
        deal = opportunities.open(
            lead=handoff.lead, name="Deal", product=None, amount=Decimal(10), currency="USD", owner=rep,
            opened_at=MONDAY - 9 * DAY, expected_close_on=None, actor=rep, now=MONDAY - 9 * DAY,
        )  # fmt: skip
        opportunities.move(opportunity=deal, to="won", actor=rep, now=MONDAY + (days - 10) * DAY)
    told = standing(clause, now=MONDAY + 3 * DAY)
    assert (told.net, told.due) == (1, 2)


# --- contacts and clocks ---------------------------------------------------------------------------------


def test_a_prospect_counts_once_a_week_and_only_for_who_called(version, rep, other_rep):
    clause = promise(version, "contacts", 2, period="week")
    one, two = make_lead(at=MONDAY - DAY), make_lead(at=MONDAY - DAY)
    for lead, who, at in (
        (one, rep, MONDAY),
        (one, rep, MONDAY + HOUR),
        (two, rep, MONDAY + HOUR),
        (one, other_rep, MONDAY),
    ):
        activities.log(person=lead.person, lead=lead, kind="call", occurred_at=at, actor=who, now=at)
    told = standing(clause, now=MONDAY + 7 * DAY, back=1)
    assert (told.promised, told.gross, told.done, told.is_kept) == (4, 3, 3, False)
    assert standing(clause, now=MONDAY + 7 * DAY, back=1, owner=rep).is_kept is True


def test_a_promise_about_single_leads_is_kept_ones_of_due_ones(version, rep):
    clause = version.clauses.get(position=1)
    kept, broken = deliver(rep, MONDAY), deliver(rep, MONDAY)
    attempt(kept, rep, MONDAY + HOUR)
    deliver(rep, MONDAY + 6 * HOUR)
    now = MONDAY + 5 * HOUR
    assert sweep.run_once(now=now) > 0
    told = standing(clause, now=now)
    assert (told.net, told.due, told.pending, told.is_kept) == (1, 2, 1, False)
    assert opened(clause, "missed", now=now) == 1
    assert opened(clause, "due", now=now) == 2
    assert broken.pk


def test_the_numbers_of_a_page_do_not_cost_more_with_more_leads(version, rep, django_assert_max_num_queries):
    promise(version, "worked", 80)
    for _ in range(3):
        deliver(rep, MONDAY)
    with django_assert_max_num_queries(16):
        commitments.lines(now=MONDAY + DAY)


# --- closing ----------------------------------------------------------------------------------------------


def test_an_ended_period_is_closed_once_and_what_comes_later_is_a_restatement(version, rep):
    clause = promise(version, "supply_count", 10)
    handoff = deliver(rep, MONDAY)
    assert services.close_ended(now=FEBRUARY + HOUR) == 2
    assert services.close_ended(now=FEBRUARY + 2 * HOUR) == 0
    row = Commitment.objects.get(clause=clause)
    assert (row.starts_at, row.ends_at) == (datetime(2026, 1, 1, tzinfo=UTC), FEBRUARY)
    assert row.figures == {
        "promised": 10.0, "due": 10.0, "gross": 1.0, "net": 1.0, "done": 1.0, "late": 0.0, "pending": 0.0,
        "attainment": 0.1, "is_rate": False, "is_kept": False,
    }  # fmt: skip
    assert services.check(now=FEBRUARY + 2 * HOUR) == 0
    Handoff.objects.filter(pk=handoff.pk).update(state="returned", return_reason="no_fit")
    assert services.check(now=FEBRUARY + DAY) == 1
    told = Restatement.objects.get(commitment=row)
    assert closed.differences(row.figures, told.figures) == [
        ("net", 1.0, 0.0), ("done", 1.0, 0.0), ("attainment", 0.1, 0.0),
    ]  # fmt: skip
    row.refresh_from_db()
    assert row.figures["net"] == 1.0
    assert services.check(now=FEBRUARY + 2 * DAY) == 0
    assert closed.of_periods({clause.pk: Period(row.starts_at, row.ends_at)})[clause.pk] == row


def test_other_leads_behind_the_same_number_are_a_restatement_too(version, rep):
    clause = promise(version, "supply_count", 10)
    first = deliver(rep, MONDAY)
    services.close_ended(now=FEBRUARY)
    second = deliver(rep, FEBRUARY + HOUR)
    Handoff.objects.filter(pk=first.pk).update(delivered_at=FEBRUARY + 2 * HOUR)
    Handoff.objects.filter(pk=second.pk).update(delivered_at=MONDAY)
    told = services.restate(commitment=Commitment.objects.get(clause=clause), now=FEBRUARY + DAY)
    assert told.figures == Commitment.objects.get(clause=clause).figures


def test_a_running_period_is_not_closed(version, rep):
    clause = promise(version, "supply_count", 10)
    spec = agreements.spec_of(clause)
    with pytest.raises(ValueError, match="ended"):
        services.close(
            clause=clause, period=commitments.span_of(spec, MONDAY, zone=organisation.zone()), now=MONDAY
        )
    assert not Commitment.objects.exists()


def test_a_promise_is_not_held_against_a_time_before_it_was_made(version, rep):
    AgreementVersion.objects.filter(state=AgreementState.IN_FORCE).update(in_force_from=FEBRUARY)
    AgreementVersion.objects.filter(number=1).update(in_force_from=FEBRUARY - HOUR)
    # The last week that has ended lies before both versions; the month's end belongs to the first.
    assert services.close_ended(now=FEBRUARY + HOUR) == 4
    assert set(Commitment.objects.values_list("clause__version__number", flat=True)) == {1}


def test_weeks_and_quarters_are_those_of_the_calendar():
    zone = organisation.zone()
    assert week_of(MONDAY.date() + 6 * DAY, zone=zone).start == MONDAY.replace(hour=0)
    quarter = quarter_of(MONDAY.date(), zone=zone)
    assert (quarter.start, quarter.end) == (
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 4, 1, tzinfo=UTC),
    )


def test_a_manager_sees_what_their_side_promised_and_a_rep_their_own(version, rep, sales_manager):
    supply = promise(version, "supply_count", 10, position=8)
    Clause.objects.filter(pk=supply.pk).update(side="marketing")
    worked = promise(version, "worked", 80, accountable=sales_manager)
    told = mine.of(sales_manager, now=MONDAY)
    assert {line.clause.pk for line in told.own} == {worked.pk, version.clauses.get(position=1).pk}
    assert [line.clause.pk for line in told.owed] == [supply.pk]
    assert told.accountable == ["Sales works 80% or more of the leads delivered in a month."]
    assert all(line.owner_id == rep.pk for line in mine.of(rep, now=MONDAY).own)
    assert mine.of(make_user("admin", "Ada Admin"), now=MONDAY).own == []
