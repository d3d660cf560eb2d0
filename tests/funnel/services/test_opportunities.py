"""Deals move on the board, every move is in the ledger, and the lead goes along."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError

from funnel.models import LeadState, Opportunity, OpportunityTransition, Product
from funnel.services import opportunities
from funnel.services.deal_fields import BadDeal
from funnel.services.opportunities import BadMove, DealChanged, DealNotAllowed, MoveStands
from leads.models import Lead
from tests.funnel.conftest import NOW

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=1)


@pytest.fixture
def deal(lead, rita):
    return open_deal(lead, rita)


def open_deal(lead, rita, **more):
    values = {"name": "Ten seats", "amount": Decimal("5000.00"), "currency": "eur", **more}
    return opportunities.open(lead=lead, owner=rita, opened_at=NOW, actor=rita, now=NOW, **values)


def stage(lead):
    return LeadState.objects.get(lead=lead).stage.code


def closed_at(lead):
    return Lead.objects.get(pk=lead.pk).closed_at


def ledger(deal):
    rows = OpportunityTransition.objects.filter(opportunity=deal).order_by("seq")
    return [(r.seq, r.from_stage and r.from_stage.code, r.to_stage.code) for r in rows]


def test_an_opened_deal_stands_in_the_first_column(deal, lead, rita):
    assert (deal.stage.code, deal.currency, deal.owner, deal.person) == (
        "prospecting",
        "EUR",
        rita,
        lead.person,
    )
    assert (deal.person, deal.company) == (lead.person, lead.company)
    assert ledger(deal) == [(1, None, "prospecting")]
    assert (stage(lead), LeadState.objects.get(lead=lead).high_water.code) == ("opportunity", "opportunity")


def test_a_won_deal_makes_a_customer_and_ends_the_lap(deal, lead, rita):
    won = opportunities.move(opportunity=deal, to="won", actor=rita, now=LATER)
    assert (won.stage.code, won.closed_at, won.version) == ("won", LATER, 2)
    assert (stage(lead), closed_at(lead)) == ("customer", LATER)
    assert ledger(deal) == [(1, None, "prospecting"), (2, "prospecting", "won")]


def test_a_lost_deal_needs_its_reason(deal, rita):
    with pytest.raises(BadMove) as refused:
        opportunities.move(opportunity=deal, to="lost", actor=rita, now=LATER)
    assert [e.field for e in refused.value.errors] == ["lost_reason"]
    deal.refresh_from_db()
    assert (deal.stage.code, deal.version, len(ledger(deal))) == ("prospecting", 1, 1)


def test_the_last_lost_deal_loses_the_lead(deal, lead, rita):
    other = open_deal(lead, rita, name="Support")
    opportunities.move(opportunity=deal, to="lost", lost_reason="price", actor=rita, now=LATER)
    assert (stage(lead), closed_at(lead)) == ("opportunity", None)
    opportunities.move(
        opportunity=other, to="lost", lost_reason="competitor", competitor="Globex", actor=rita, now=LATER
    )
    assert (stage(lead), closed_at(lead)) == ("lost", LATER)


def test_a_lost_deal_beside_a_won_one_leaves_a_customer(deal, lead, rita):
    other = open_deal(lead, rita, name="Support")
    opportunities.move(opportunity=deal, to="won", actor=rita, now=LATER)
    opportunities.move(opportunity=other, to="lost", lost_reason="price", actor=rita, now=LATER)
    assert stage(lead) == "customer"


@pytest.mark.parametrize(("to", "more"), [("won", {}), ("lost", {"lost_reason": "timing"}), ("proposal", {})])
def test_a_move_can_be_taken_back_within_ten_seconds(deal, lead, rita, to, more):
    opportunities.move(opportunity=deal, to=to, actor=rita, now=LATER, **more)
    back = opportunities.undo_move(opportunity=deal, actor=rita, now=LATER + timedelta(seconds=9))
    assert (back.stage.code, back.closed_at, back.lost_reason) == ("prospecting", None, "")
    assert (stage(lead), closed_at(lead)) == ("opportunity", None)
    assert ledger(deal) == [(1, None, "prospecting"), (2, "prospecting", to), (3, to, "prospecting")]


def test_a_move_stands_after_ten_seconds_and_for_others(deal, rita, sam):
    opportunities.move(opportunity=deal, to="proposal", actor=rita, now=LATER)
    with pytest.raises(MoveStands):
        opportunities.undo_move(opportunity=deal, actor=rita, now=LATER + timedelta(seconds=11))
    with pytest.raises(MoveStands):
        opportunities.undo_move(opportunity=deal, actor=sam, now=LATER)
    assert len(ledger(deal)) == 2


def test_a_won_deal_can_be_reopened_on_the_board(deal, lead, rita):
    opportunities.move(opportunity=deal, to="won", actor=rita, now=LATER)
    opportunities.move(opportunity=deal, to="negotiation", actor=rita, now=LATER + timedelta(days=1))
    assert (stage(lead), closed_at(lead)) == ("opportunity", None)


def test_of_two_editors_of_one_version_the_second_is_told(deal, rita):
    opportunities.update(
        opportunity=deal, changes={"amount": Decimal(6000)}, expected_version=1, actor=rita, now=LATER
    )
    with pytest.raises(DealChanged):
        opportunities.update(
            opportunity=deal, changes={"amount": Decimal(1)}, expected_version=1, actor=rita, now=LATER
        )
    deal.refresh_from_db()
    assert (deal.amount, deal.version) == (Decimal(6000), 2)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": Decimal(-1)}, "amount"),
        ({"amount": Decimal("NaN")}, "amount"),
        ({"currency": "EURO"}, "currency"),
        ({"name": "  "}, "name"),
        ({"stage": 3}, "stage"),
    ],
)
def test_unusable_values_are_refused(deal, rita, changes, field):
    with pytest.raises(BadDeal) as refused:
        opportunities.update(opportunity=deal, changes=changes, actor=rita, now=LATER)
    assert [e.field for e in refused.value.errors] == [field]
    assert Opportunity.objects.get(pk=deal.pk).version == 1


@pytest.mark.parametrize("who", ["mara", "max_", "olga"])
def test_deals_are_for_sales(deal, lead, rita, who, request):
    actor = request.getfixturevalue(who)
    with pytest.raises(DealNotAllowed):
        opportunities.move(opportunity=deal, to="won", actor=actor, now=LATER)
    with pytest.raises(DealNotAllowed):
        opportunities.open(
            lead=lead, name="X", currency="EUR", owner=rita, opened_at=NOW, actor=actor, now=NOW
        )
    assert Opportunity.objects.get().stage.code == "prospecting"


@pytest.mark.parametrize("change", ["UPDATE {} SET seq = 9", "DELETE FROM {}", "TRUNCATE {}"])
def test_the_ledger_of_deals_rejects_changes(deal, change):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            cursor.execute(change.format("funnel_opportunitytransition"))
    assert len(ledger(deal)) == 1


def test_a_deal_can_be_about_a_product(deal, rita):
    seats = Product.objects.create(name="Seats", name_key="seats", source=deal.source)
    changed = opportunities.update(opportunity=deal, changes={"product": seats}, actor=rita, now=LATER)
    assert (changed.product, changed.version) == (seats, 2)
