"""Reps are told what is theirs, marketing what became of it: one outbox row per fact."""

from __future__ import annotations

from datetime import timedelta

import pytest

from funnel.models import Handoff
from funnel.services import handoffs, opportunities
from leads.models import Campaign
from smarketing.notifications.models import Outbox
from tests.funnel.conftest import NOW, capture_lead

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=2)


@pytest.fixture
def campaign(web, mara):
    return Campaign.objects.create(name="Webinar", source=web, owner=mara)


@pytest.fixture
def handoff(web, rita, campaign, qualify):
    return Handoff.objects.get(lead=qualify(capture_lead(web, campaign=campaign)))


def rows(topic):
    return list(Outbox.objects.filter(topic=topic).order_by("pk"))


def test_the_rep_is_told_of_a_delivery(handoff, rita):
    (row,) = rows("handoff.delivered")
    assert row.notice["user_ids"] == [rita.pk]
    assert row.notice["mail"] is True
    assert row.notice["link"] == f"/leads/{handoff.lead_id}/"
    assert row.payload["handoff_id"] == handoff.pk


def test_the_campaigns_owner_is_told_of_answers(handoff, rita, mara):
    handoffs.return_(handoff=handoff, reason="no_budget", actor=rita, now=LATER)
    (row,) = rows("handoff.returned")
    assert row.notice["user_ids"] == [mara.pk]
    assert row.notice["text"].startswith("Rita Rep returned Ada Lovelace")
    assert row.payload["return_reason"] == "no_budget"


def test_an_answer_taken_back_and_given_again_is_told_again(handoff, rita):
    handoffs.accept(handoff=handoff, actor=rita, now=LATER)
    handoffs.undo(handoff=handoff, actor=rita, now=LATER)
    handoffs.accept(handoff=handoff, actor=rita, now=LATER)
    assert len(rows("handoff.accepted")) == 2


def test_marketing_is_told_what_the_gate_missed(web, mara, campaign, qualify):
    qualify(capture_lead(web, company="", title="Head director, chief vp", campaign=campaign))
    (row,) = rows("handoff.gate_failed")
    assert row.notice["user_ids"] == [mara.pk]
    assert row.payload["missing"] == ["company.name"]


def test_managers_are_told_when_nobody_can_take_a_lead(web, sam, max_, qualify):
    qualify(capture_lead(web))
    (row,) = rows("handoff.waiting")
    assert row.notice["user_ids"] == sorted([sam.pk, max_.pk])


def test_the_campaigns_owner_is_told_of_a_won_deal(handoff, rita, mara):
    deal = opportunities.open(
        lead=handoff.lead,
        name="Ten seats",
        currency="EUR",
        owner=rita,
        opened_at=LATER,
        actor=rita,
        now=LATER,
    )
    opportunities.move(opportunity=deal, to="proposal", actor=rita, now=LATER)
    assert rows("opportunity.won") == []
    opportunities.move(opportunity=deal, to="won", actor=rita, now=LATER)
    (row,) = rows("opportunity.won")
    assert (row.notice["user_ids"], row.notice["text"]) == ([mara.pk], "Won: Ten seats.")
