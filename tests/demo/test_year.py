"""The year of the demo company holds together, and every report over it tells the truth."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pytest

from funnel.models import (
    Absence,
    Appeal,
    Handoff,
    HandoffState,
    LeadState,
    Nurture,
    Opportunity,
    Questionnaire,
)
from leads.models import Company, Lead, MailTemplate
from reporting.domain.results import Rate, Row
from reporting.models import Journey, VisitMark
from reporting.reports import catalogue
from reporting.services import journeys
from sla.models import AgreementState, AgreementVersion, Clock, ClockState, TeamMeeting
from smarketing.core import invariants
from smarketing.demo.company import YEAR
from smarketing.users.selectors import organisation

REPORTS = ["alignment", "supply", "returns", "sources", "funnel", "wins"]


def test_the_year_has_something_to_tell(year: datetime) -> None:
    assert Lead.objects.filter(lap=1).count() == 45
    assert Lead.objects.filter(lap__gt=1).exists()  # somebody came back after a return
    states = set(Handoff.objects.values_list("state", flat=True))
    assert {HandoffState.ACCEPTED, HandoffState.DELIVERED} <= states
    assert Opportunity.objects.won().exists()
    assert Clock.objects.filter(state=ClockState.MET).exists()
    assert Nurture.objects.active().filter(owner__isnull=False).exists()


def test_the_rep_who_signs_in_first_finds_a_lead_that_waits(year: datetime) -> None:
    waiting = Handoff.objects.filter(state=HandoffState.DELIVERED, owner__email__startswith="rep@")
    assert waiting.exists()


def test_the_agreement_was_in_force_when_the_year_began(year: datetime) -> None:
    begin = year - YEAR
    lived_by = AgreementVersion.objects.get(state=AgreementState.IN_FORCE)
    assert lived_by.in_force_from == begin
    former = AgreementVersion.objects.get(state=AgreementState.RETIRED)
    assert (former.in_force_from, former.retired_at) == (begin, begin)
    assert not Clock.objects.exclude(clause__version=lived_by).exists()


def test_the_report_of_the_website_is_filled_when_the_first_user_looks(year: datetime) -> None:
    result = catalogue.get("website").run({}, zone=organisation.zone(), now=year)
    assert result.why_empty is None
    assert not VisitMark.objects.exists()  # nothing waits to be computed


def test_marketing_has_contested_a_return_and_a_manager_ruled(year: datetime) -> None:
    assert Appeal.objects.exclude(ruling="").exists()


def test_the_teams_met_asked_each_other_and_somebody_is_away_soon(year: datetime) -> None:
    assert 35 <= TeamMeeting.objects.count() <= 52
    round_ = Questionnaire.objects.get()
    assert round_.revealed_at is not None
    assert {answer.side for answer in round_.answers.all()} == {"marketing", "sales"}
    assert Absence.objects.filter(starts_at__gt=year).exists()
    assert MailTemplate.objects.count() == 2
    assert Company.objects.filter(attributes__plants__gt=1).exists()


def test_every_lead_stands_somewhere(year: datetime) -> None:
    assert LeadState.objects.count() == Lead.objects.count()


def test_no_invariant_is_broken(year: datetime) -> None:
    findings = list(invariants.check())
    assert len(findings) >= 10
    # I-9 asks the database's clock: the deadlines of this year were swept up to its end, not to today.
    assert [f.invariant.id for f in findings if not f.holds and f.invariant.id != "I-9"] == []


def test_journeys_kept_by_facts_equal_a_rebuild(year: datetime) -> None:
    before = list(Journey.objects.order_by("pk").values())
    assert len(before) == Lead.objects.count()
    assert journeys.rebuild() == 0
    assert list(Journey.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("key", REPORTS)
def test_every_number_counts_the_records_it_opens(year: datetime, key: str) -> None:
    report, zone = catalogue.get(key), organisation.zone()
    result = report.run({}, zone=zone, now=year)
    assert result.why_empty is None
    checked = 0
    for table in result.tables:
        for row in (*table.rows, *((table.total,) if table.total else ())):
            for column in table.columns:
                value = row.values.get(column.key)
                if column.opens and value is not None:
                    found = report.behind({}, zone=zone, row=row.key, cell=column.key, now=year)
                    assert found.count() == value, (table.key, row.key, column.key)
                    checked += 1
    assert checked >= 4


@pytest.mark.parametrize("key", REPORTS)
def test_no_share_exceeds_the_whole(year: datetime, key: str) -> None:
    result = catalogue.get(key).run({}, zone=organisation.zone(), now=year)
    for table in result.tables:
        for row in table.rows:
            for value in row.values.values():
                if isinstance(value, Rate):
                    assert 0 <= value.k <= value.n


def test_the_groups_of_sources_add_up_whatever_they_are_grouped_by(year: datetime) -> None:
    report, zone = catalogue.get("sources"), organisation.zone()
    totals = []
    for grouping in report.groupings:
        table = report.run({"by": grouping}, zone=zone, now=year).tables[0]
        assert table.total is not None
        for cell in ("leads", "mqls", "customers"):
            assert sum(row.values[cell] for row in table.rows) == table.total.values[cell]  # type: ignore[misc]
        totals.append({k: v for k, v in table.total.values.items() if k != "label"})
    assert all(total == totals[0] for total in totals)


def test_a_period_is_half_open_and_periods_add_up(year: datetime) -> None:
    report, zone = catalogue.get("sources"), organisation.zone()

    def leads(given: dict[str, str]) -> object:
        total = report.run(given, zone=zone, now=year).tables[0].total
        assert total is not None
        return total.values["leads"]

    early, late = leads({"to": "2025-09-30"}), leads({"from": "2025-10-01"})
    assert isinstance(early, int)
    assert isinstance(late, int)
    assert early + late == Lead.objects.count()


def test_blank_and_unknown_origins_stay_apart(year: datetime) -> None:
    blank = Journey.objects.filter(origin="").count()
    unknown = Journey.objects.filter(origin="unknown").count()
    rows = {row.key: row.values["leads"] for row in _by_origin(year)}
    assert rows.get("(blank)", 0) == blank
    assert rows.get("unknown", 0) == unknown


def _by_origin(now: datetime) -> Sequence[Row]:
    result = catalogue.get("sources").run({}, zone=organisation.zone(), now=now)
    return result.tables[0].rows
