"""The funnel's part of the one timeline."""

from __future__ import annotations

from datetime import timedelta

import pytest

from funnel.models import Handoff
from funnel.services import handoffs, opportunities, owners
from leads.selectors import timeline
from leads.selectors.timeline import Category
from tests.funnel.conftest import NOW, capture_lead

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=2)


def entries(person):
    return timeline.of_person(person, only=[Category.PIPELINE]).entries


def titles(person):
    """Without the leads app's own line, the beginning of the lap."""
    return [str(entry.title) for entry in entries(person) if entry.provider != "lap"]


def test_a_return_is_told_with_its_reason(web, rita, qualify):
    lead = qualify(capture_lead(web))
    handoff = Handoff.objects.get(lead=lead)
    handoffs.return_(handoff=handoff, reason="no_fit", note="Too small", actor=rita, now=LATER)
    assert titles(lead.person) == [
        "Became Disqualified",
        "Handoff: Returned",
        "Became MQL",
        "Delivered to Rita Rep",
    ]
    (answer,) = [entry for entry in entries(lead.person) if entry.provider == "answer"]
    assert (answer.detail, answer.who) == ("Not our kind of customer · Too small", "Rita Rep")


def test_owners_and_deals_are_told(web, rita, sam):
    lead = capture_lead(web)
    owners.assign(lead=lead, owner=rita, reason="manual", actor=sam, now=LATER)
    deal = opportunities.open(
        lead=lead, name="Seats", currency="EUR", owner=rita, opened_at=LATER, actor=rita, now=LATER
    )
    opportunities.move(opportunity=deal, to="won", actor=rita, now=LATER + timedelta(days=1))
    assert titles(lead.person) == [
        "Became Customer",
        "Seats: Won",
        "Became Opportunity",
        "Owner: Rita Rep",
        "Seats: Prospecting",
    ]
