"""The single customer view: how they came, how warm they are, how their fit changed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from funnel.selectors import footprint, origin
from leads.models import Campaign, Channel, Company, Source
from leads.selectors import timeline
from leads.selectors.timeline import Category
from leads.services import companies, touchpoints
from tests.funnel.conftest import DAY, NOW, capture_lead, record

pytestmark = pytest.mark.django_db


def touch(lead, title, at, channel="organic-search", **more):
    return touchpoints.record(
        person=lead.person, source=Source.objects.get(code="web"), occurred_at=at, title=title,
        channel=Channel.objects.get(code=channel), actor=None, now=max(at, NOW + DAY), **more,
    )  # fmt: skip


def test_the_origin_story_tells_first_and_converting_touch_and_what_they_say(web):
    lead = capture_lead(web)
    channels = list(Channel.objects.values_list("code", flat=True))
    first_channel, other = channels[0], channels[1]
    first = touch(lead, "Guide to scoring", NOW - 20 * DAY, first_channel)
    touch(lead, "Webinar", NOW - timedelta(hours=1), other)
    converting = lead.touchpoints.get(occurred_at=NOW)  # the capture itself
    touch(lead, "After the fact", NOW + timedelta(hours=1), other)
    said = touch(lead, "A colleague", NOW - 30 * DAY, other, is_self_reported=True)
    for days in (3, 2, 1):
        record(lead, "page", "Home", at=NOW - days * DAY, url="https://x.example/")
    record(lead, "page", "Prices", at=NOW - 2 * DAY, url="https://x.example/pricing")
    record(lead, "form", "Demo request", at=NOW + DAY)

    told = origin.of_person(lead.person, lead)

    assert (told.first, told.converting, told.said, told.touches) == (first, converting, said, 3)
    assert [t.title for t in told.content] == ["Webinar", "Guide to scoring"]
    assert [(p.label, p.count, p.points) for p in told.pages] == [("Prices", 1, 9.0), ("Home", 3, 3.0)]


def test_without_a_lead_the_story_is_the_persons(web):
    lead = capture_lead(web)
    first = touch(lead, "Guide", NOW - DAY, Channel.objects.first().code)
    told = origin.of_person(lead.person, None)
    assert (told.lead, told.first, told.converting) == (None, first, None)


def test_the_footprint_is_warmer_after_a_visit_and_cools_by_itself(web):
    lead = capture_lead(web)
    cold = footprint.of_person(lead.person, now=NOW)
    assert (cold.temperature.heat, cold.last_seen_at, cold.topics) == ("cold", None, [])
    assert not cold.is_reheatable
    at = NOW + timedelta(hours=1)
    record(lead, "form", "Demo request", at=at)
    hot = footprint.of_person(lead.person, now=at)
    assert (hot.temperature.heat, hot.temperature.trend) == ("hot", "warmer")
    assert hot.temperature.now == pytest.approx(55, rel=0.02)
    assert hot.temperature.before == 0
    assert hot.cools_at is not None
    assert hot.cools_at > at
    later = footprint.of_person(lead.person, now=at + 60 * DAY)
    assert (later.temperature.heat, later.temperature.trend) == ("cooling", "cooler")
    assert later.is_reheatable
    assert later.last_seen_at == at


def test_both_read_a_fixed_number_of_times_and_few_rows(web):
    lead = capture_lead(web)
    record(lead, "page", "Home", at=NOW)

    def counted():
        with CaptureQueriesContext(connection) as queries:
            footprint.of_person(lead.person, now=NOW + DAY)
            origin.of_person(lead.person, lead)
        return len(queries)

    few = counted()
    for number in range(40):
        record(lead, "page", f"Page {number}", at=NOW + timedelta(minutes=number), url=f"https://x/{number}")
        touch(lead, f"T{number}", NOW - number * DAY, Channel.objects.first().code)
    assert counted() == few


def test_a_change_of_fit_stands_on_the_timeline_with_its_reason(web):
    lead = capture_lead(web)
    company = Company.objects.get()
    companies.update(company=company, changes={"employees": 500}, actor=None, now=NOW + DAY)
    entries = timeline.of_person(lead.person, only=[Category.PIPELINE]).entries
    (entry,) = [e for e in entries if e.provider == "score"]
    assert str(entry.title).startswith("Fit rose from ")
    assert entry.tone == "ok"
    assert str(entry.detail) == "What is known about the person or company changed."
    rolled = timeline.of_company(company, only=[Category.PIPELINE]).entries
    assert [e.provider for e in rolled].count("score") == 1
    assert str(rolled[0].about) == lead.person.name


def test_a_campaign_is_named(web):
    campaign = Campaign.objects.create(name="Spring", source=web)
    lead = capture_lead(web, campaign=campaign)
    touch(lead, "Ad", NOW, Channel.objects.first().code, campaign=campaign)
    told = origin.of_person(lead.person, lead)
    assert told.first.campaign == campaign
