"""Past visits are judged anew when somebody asks for it, and as they were when earlier rules come back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from leads.domain.channel_rules import Rule
from leads.models import ChannelReview, Session, Touchpoint
from leads.services import channel_reviews, channel_rules
from leads.services.channel_reviews import UnderReview
from leads.services.fields import EditedMeanwhile
from smarketing.core.errors import Denied
from tests.leads.tracking.conftest import START
from tests.rest import assert_problem, client_for

NOW = START + timedelta(days=2)
AD = {"utm_source": "google", "utm_medium": "cpc"}
NEWS = Rule(id=0, channel="pr", referrer=("news.example", "*.news.example"))


@pytest.fixture
def visits(say, told):
    """A reader of the news who is known, and 60 visitors who are not."""
    told(
        say(anonymous="v1", url="https://x.example/", referrer="https://www.news.example/today"),
        say("identify", minute=1, anonymous="v1", traits={"email": "ada@x.example"}),
        say(anonymous="v1", minute=90, url="https://x.example/", campaign=AD),
        *(say(anonymous=f"n{n}", minute=n, url="https://x.example/n") for n in range(60)),
    )


def state():
    """Channels of visits and touches, under their keys."""
    return (
        list(Session.objects.order_by("pk").values_list("pk", "channel__code", "started_at", "pages")),
        list(Touchpoint.objects.order_by("pk").values_list("pk", "channel__code", "occurred_at", "lead")),
    )


def drain():
    rounds = 0
    while channel_reviews.run_once(now=NOW, limit=500):
        rounds += 1
    return rounds


def test_a_review_changes_what_the_rules_change_and_its_undoing_brings_all_back(visits, mara):
    before = state()
    made = channel_rules.add(rule=NEWS, first=True, expected=1, actor=mara, now=NOW)
    assert state() == before  # a new rule alone changes nothing of the past
    review = channel_reviews.ask(expected=made.number, actor=mara, now=NOW)
    assert (review.visitors, review.done) == (61, 0)
    drain()
    review.refresh_from_db()
    assert (review.done, review.changed, review.finished_at, review.is_superseded) == (61, 1, NOW, False)
    sessions, touches = state()
    assert [code for _pk, code, _at, _pages in sessions[:2]] == ["pr", "paid_search"]
    assert [code for _pk, code, _at, _lead in touches] == ["pr", "paid_search"]
    assert [pk for pk, *_rest in touches] == [pk for pk, *_rest in before[1]]
    with pytest.raises(UnderReview):
        channel_reviews.ask(expected=made.number, actor=mara, now=NOW)
    back = channel_rules.restore(number=1, expected=made.number, actor=mara, now=NOW)
    channel_reviews.ask(expected=back.number, actor=mara, now=NOW)
    drain()
    assert state() == before


def test_other_rules_end_a_review_that_is_under_way(visits, mara, rita):
    with pytest.raises(Denied):
        channel_reviews.ask(expected=1, actor=rita, now=NOW)
    with pytest.raises(EditedMeanwhile):
        channel_reviews.ask(expected=7, actor=mara, now=NOW)
    channel_reviews.ask(expected=1, actor=mara, now=NOW)
    assert channel_reviews.run_once(now=NOW, limit=500) == 500  # one batch of many
    channel_rules.add(rule=NEWS, first=True, expected=1, actor=mara, now=NOW)
    assert drain() == 0
    review = ChannelReview.objects.get()
    assert (review.done, review.is_superseded) == (50, True)


def test_the_page_and_the_interface_ask_for_it_and_tell_how_far_it_is(visits, mara, rita):
    client, api = Client(), client_for(mara)
    client.force_login(mara)
    assert_problem(api.get("/api/v1/channel-rules/last-review"), 404, "not_found")
    assert "Judge past visits by these rules" in client.get("/settings/channels/").content.decode()
    assert client.post("/settings/channels/review/1/").status_code == 303
    channel_reviews.run_once(now=NOW, limit=500)
    page = client.get("/settings/channels/").content.decode()
    assert "50 of 61 visitors" in page
    assert 'hx-trigger="every 2s"' in page
    drain()
    assert "0 visits have another channel" in client.get("/settings/channels/").content.decode()
    assert api.get("/api/v1/channel-rules/last-review").json()["done"] == 61
    assert_problem(api.post("/api/v1/channel-rules/1/review"), 409, "under_review")
    assert_problem(client_for(rita).post("/api/v1/channel-rules/1/review"), 403, "denied")
