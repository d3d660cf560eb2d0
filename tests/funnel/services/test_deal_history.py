"""Imported deals have a past: their ledger and their leads carry the dates of the file."""

from __future__ import annotations

from datetime import timedelta

import pytest

from funnel.models import LeadState, Opportunity, OpportunityStage, OpportunityTransition, StageTransition
from funnel.services import deal_history
from leads.models import Lead, Source
from tests.funnel.conftest import DAY, NOW, capture_lead

pytestmark = pytest.mark.django_db


def imported(lead, stage, *, opened=NOW + DAY, closed=None):
    deal = Opportunity.objects.create(
        name="Deal",
        lead=lead,
        stage=OpportunityStage.objects.get(code=stage),
        stage_entered_at=closed or opened or NOW,
        opened_at=opened,
        closed_at=closed,
        currency="USD",
        source=Source.objects.get(code="manual"),
    )
    deal_history.record(opportunity_ids=[deal.pk], now=NOW + 400 * DAY)
    return deal


def ledger(deal):
    rows = OpportunityTransition.objects.filter(opportunity=deal).order_by("seq")
    return [(r.seq, r.from_stage and r.from_stage.code, r.to_stage.code, r.effective_at) for r in rows]


def road(lead):
    rows = StageTransition.objects.filter(lead=lead).order_by("seq")
    return [(r.to_stage.code, r.is_implied, r.effective_at) for r in rows]


def test_a_won_deal_of_the_past_makes_a_customer_of_the_past(web):
    lead = capture_lead(web)
    deal = imported(lead, "won", closed=NOW + 30 * DAY)
    assert ledger(deal) == [
        (1, None, "prospecting", NOW + DAY),
        (2, "prospecting", "won", NOW + 30 * DAY),
    ]
    assert road(lead) == [
        ("lead", False, NOW),
        ("mql", True, NOW + DAY),
        ("sql", True, NOW + DAY),
        ("opportunity", False, NOW + DAY),
        ("customer", False, NOW + 30 * DAY),
    ]
    assert Lead.objects.get(pk=lead.pk).closed_at == NOW + 30 * DAY


def test_a_second_run_adds_nothing(web):
    lead = capture_lead(web)
    deal = imported(lead, "lost", closed=NOW + 3 * DAY)
    before = (ledger(deal), road(lead))
    assert before[1][-1] == ("lost", False, NOW + 3 * DAY)
    deal_history.record(opportunity_ids=[deal.pk], now=NOW + 500 * DAY)
    assert (ledger(deal), road(lead)) == before


def test_a_changed_deal_moves_on(web):
    lead = capture_lead(web)
    deal = imported(lead, "engaging")
    deal.stage = OpportunityStage.objects.get(code="won")
    deal.closed_at = NOW + 9 * DAY
    deal.save(update_fields=["stage", "closed_at"])
    deal_history.record(opportunity_ids=[deal.pk], now=NOW + 400 * DAY)
    assert [row[2] for row in ledger(deal)] == ["prospecting", "engaging", "won"]
    assert LeadState.objects.get(lead=lead).stage.code == "customer"


def test_a_lost_deal_beside_an_open_one_loses_nothing(web):
    lead = capture_lead(web)
    imported(lead, "engaging")
    imported(lead, "lost", closed=NOW + 2 * DAY)
    assert LeadState.objects.get(lead=lead).stage.code == "opportunity"


def test_a_deal_that_nobody_engaged_with_has_no_opening(web):
    lead = capture_lead(web)
    deal = imported(lead, "prospecting", opened=None)
    assert ledger(deal) == [(1, None, "prospecting", NOW)]


def test_a_deal_closed_before_its_lead_was_captured_is_dated_at_the_capture(web):
    lead = capture_lead(web)
    imported(lead, "won", opened=NOW - 3 * DAY, closed=NOW - DAY)
    assert road(lead)[-1] == ("customer", False, NOW)
    assert Lead.objects.get(pk=lead.pk).closed_at == NOW


def test_deals_without_a_lead_have_a_ledger_too(web):
    deal = imported(None, "won", closed=NOW + timedelta(days=2))
    assert len(ledger(deal)) == 2
