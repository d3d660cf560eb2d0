"""The funnel's part of the one timeline."""

from __future__ import annotations

from datetime import timedelta

import pytest

from funnel.models import Handoff, Interest, InterestPeriod
from funnel.services import handoffs, opportunities, owners, scoring
from leads.selectors import timeline
from leads.selectors.timeline import Category
from tests.funnel.conftest import NOW, asks_for_demo, capture_lead

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=2)


def entries(person):
    return timeline.of_person(person, only=[Category.PIPELINE]).entries


def titles(person):
    """Without the leads app's own line, the beginning of the lap, and changes of interest."""
    return [str(entry.title) for entry in entries(person) if entry.provider not in ("lap", "interest")]


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


def test_interest_that_rises_and_fades_is_told_once_each(web):
    lead = capture_lead(web)
    asks_for_demo(lead, at=NOW + timedelta(minutes=1))
    asks_for_demo(lead, at=NOW + timedelta(minutes=2))  # band 1 still: nothing to tell
    cools = Interest.objects.get(person=lead.person_id).cools_at
    scoring.run_once(now=cools + timedelta(seconds=1), limit=10)
    told = [
        (str(entry.title), str(entry.detail), entry.tone)
        for entry in entries(lead.person)
        if entry.provider == "interest"
    ]
    assert told == [
        ("Interest fell to band 2", "from band 1", "warn"),
        ("Interest rose to band 1", "from band 3", "ok"),
    ]
    periods = list(InterestPeriod.objects.order_by("pk").values_list("until", "band", "became"))
    assert periods == [(NOW + timedelta(minutes=1), 3, 1), (cools + timedelta(seconds=1), 1, 2)]
