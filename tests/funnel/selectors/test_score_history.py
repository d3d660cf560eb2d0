"""A score over time is, at every moment, what the explanation of that moment says."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from funnel.selectors import past_scores, score_history
from leads.services import people
from tests.funnel.conftest import DAY, NOW, asks_for_demo, capture_lead, record

pytestmark = pytest.mark.django_db


@pytest.fixture
def story(web, rita):
    """A lead with a month of ups and downs, and a title that changed."""
    lead = capture_lead(web)
    record(lead, "track", "Webinar attended", at=NOW + DAY)
    for minute in range(7):
        record(lead, "page", url="https://us.example/", at=NOW + 2 * DAY + timedelta(minutes=minute))
    people.update(person=lead.person, changes={"title": "Student"}, actor=None, now=NOW + 5 * DAY)
    asks_for_demo(lead, at=NOW + 20 * DAY)
    record(lead, "track", "List Unsubscribed", at=NOW + 25 * DAY)
    return lead


def test_every_moment_is_what_its_explanation_says(story):
    told = score_history.of_lead(story, now=NOW + 40 * DAY)
    assert (told.moments[0].at, told.moments[-1].at) == (NOW, NOW + 40 * DAY)
    assert told.bands == {1: 40, 2: 15}
    for moment in told.moments[::7]:
        why = past_scores.explain(lead=story, at=moment.at)
        assert moment.interest == pytest.approx(why.interest, abs=0.051)
        assert (moment.fit, moment.cell) == (why.fit.score, why.cell)
    fits = [moment.fit for moment in told.moments]
    assert (fits[0], fits[-1]) == (50, 30)
    assert told.highest == max(m.interest for m in told.moments) > 55


def test_a_lap_that_ended_is_told_until_its_end(story):
    story.closed_at = NOW + 30 * DAY
    assert score_history.of_lead(story, now=NOW + 400 * DAY).moments[-1].at == NOW + 30 * DAY


def test_more_behaviour_takes_no_more_queries(story):
    with CaptureQueriesContext(connection) as before:
        score_history.of_lead(story, now=NOW + 40 * DAY)
    for hour in range(12):
        record(story, "page", url="https://us.example/pricing", at=NOW + 30 * DAY + timedelta(hours=hour))
    with CaptureQueriesContext(connection) as after:
        told = score_history.of_lead(story, now=NOW + 40 * DAY)
    assert len(after) == len(before)
    assert len(told.moments) <= 2 * score_history.MOMENTS + 2
