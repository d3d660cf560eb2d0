"""Attempts and when to stop: a story counted by hand, on page and interface."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client

from funnel.models import Opportunity, OpportunityStage
from leads.services import activities
from smarketing.core import clock
from smarketing.users.domain.roles import Role
from smarketing.users.models import User
from smarketing.users.selectors import organisation
from tests.rest import client_for
from tests.sla.conftest import agree, deliver, make_lead, make_user

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def told(
    lead, actor: User | None, at: datetime, outcome: str = "no_answer", direction: str = "outbound"
) -> None:
    activities.log(
        person=lead.person, lead=lead, kind="call", outcome=outcome, direction=direction,
        occurred_at=at, actor=actor, now=at,
    )  # fmt: skip


@pytest.fixture
def story() -> datetime:
    """Five leads delivered 120 days ago, one yesterday.

    Reached: A at 1 (bought for 900), B at 2, C by writing back after 2. D tried twice, never reached;
    E wrote before anybody tried. F was tried yesterday and may still answer.
    """
    agree()
    now = clock.now()
    rep, at = make_user(Role.REP, "Rita Rep"), now - 120 * DAY
    a, b, c, d, e = (deliver(rep, at, lead=make_lead(f"{n} Lead", at - DAY)).lead for n in "ABCDE")
    told(a, rep, at + DAY, "reached")
    for lead in (b, c, d):
        told(lead, rep, at + DAY)
    told(b, rep, at + 2 * DAY, "reached")
    told(c, rep, at + 2 * DAY)
    told(c, None, at + 3 * DAY, "reached", "inbound")
    told(d, rep, at + 2 * DAY)
    told(e, None, at + DAY, "reached", "inbound")
    told(e, rep, at + 2 * DAY, "reached")
    f = deliver(rep, now - DAY, lead=make_lead("F Lead", now - 2 * DAY)).lead
    told(f, rep, now - DAY / 2)
    # What marketing does is no attempt of sales.
    told(d, make_user(Role.MARKETER, "Mona Marketer"), at + 4 * DAY, "reached")
    won = OpportunityStage.objects.get(code="won")
    closed_at = at + 9 * DAY
    Opportunity.objects.create(
        name="Ten seats", lead=a, person=a.person, source=a.source, owner=rep, stage=won,
        amount=900, currency=organisation.current().currency,
        opened_at=at + 5 * DAY, stage_entered_at=closed_at, closed_at=closed_at,
    )  # fmt: skip
    return now


def test_every_attempt_counts_whom_it_reached_among_those_not_reached_before(story: datetime) -> None:
    client = client_for(make_user(Role.SALES_MANAGER, "Sam Seller"))
    report = client.get("/api/v1/reports/attempts?cost=20&margin=50").json()
    rows = report["tables"]["by_attempt"]["rows"]
    assert [(row["attempt"], row["tried"], row["reached"]["k"], row["pending"]) for row in rows] == [
        ("1", 4, 1, 1),
        ("2", 3, 2, 0),
    ]
    assert rows[0]["reached"]["interval_95"] == pytest.approx([4.56, 69.94], abs=0.01)
    figures = report["figures"]
    assert (figures["delivered"], figures["tried"]) == (6, 5)
    assert (figures["customers"]["k"], figures["customers"]["n"], figures["average"]) == (1, 3, 900)
    # A reached lead brings 900 ÷ 3 × 50 % = 150; attempt 1: 1/4 × 150 − 20, attempt 2: 2/3 × 150 − 20.
    assert [row["value"] for row in rows] == [17.5, 80]
    assert report["notes"][0].startswith("No proposal: fewer than 20 leads")


def test_the_page_asks_for_the_cost_and_refuses_nonsense(story: datetime, client: Client) -> None:
    client.force_login(make_user(Role.SALES_MANAGER, "Sam Seller"))
    page = client.get("/reports/attempts/").content.decode()
    assert "Enter what an attempt costs" in page
    assert "One attempt brings" in client.get("/reports/attempts/?cost=20").content.decode()
    refused = client.get("/reports/attempts/?cost=0")
    assert refused.status_code == 422
    assert "Give a number from 0.01 to 10000." in refused.content.decode()
    assert client.get("/reports/attempts/?margin=NaN").status_code == 422
    opened = client.get("/reports/attempts/records/?row=all&cell=delivered")
    assert "6" in opened.content.decode()


def test_another_report_does_not_know_these_numbers(client: Client) -> None:
    client.force_login(make_user(Role.SALES_MANAGER, "Sam Seller"))
    assert client.get("/reports/supply/?cost=20").status_code == 422
