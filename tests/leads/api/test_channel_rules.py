"""``/api/v1/channel-rules`` and ``/api/v1/people/<id>/sessions``."""

from __future__ import annotations

from datetime import timedelta

import pytest

from leads.models import Channel, ChannelRuleSet, Session, Visitor
from leads.selectors import channel_rules
from leads.services import people
from tests.rest import assert_problem, client_for

pytestmark = pytest.mark.django_db
RULES = "/api/v1/channel-rules"


def test_the_rules_in_force_are_read_by_everybody(olga):
    body = client_for(olga).get(f"{RULES}/current").json()
    assert body["number"] == 1
    assert body["rules"][4] == {
        "id": 5,
        "channel": "paid_search",
        "medium": ["*cp*", "ppc", "retargeting", "paid*"],
        "site": ["search"],
    }


def test_a_marketer_replaces_them_and_an_old_version_is_refused(mara):
    client = client_for(mara)
    given = {"expected": 1, "rules": [{"channel": "pr", "source": ["press"]}]}
    answer = client.post(RULES, given, format="json")
    assert answer.status_code == 201
    assert answer.json()["rules"] == [{"id": 1, "channel": "pr", "source": ["press"]}]
    again = client.post(RULES, given, format="json")
    assert again.status_code == 412
    assert ChannelRuleSet.objects.count() == 2


def test_a_rule_that_can_not_be_used_is_refused_with_its_column(mara):
    answer = client_for(mara).post(
        RULES, {"expected": 1, "rules": [{"channel": "pigeon", "source": ["x"]}]}, format="json"
    )
    assert_problem(answer, 422, "bad_channel_rule")
    assert channel_rules.in_force().number == 1


def test_a_rep_may_not_change_them(rita):
    answer = client_for(rita).post(RULES, {"expected": 1, "rules": []}, format="json")
    assert answer.status_code == 403
    assert ChannelRuleSet.objects.count() == 1


def test_the_sessions_of_a_person(olga, web, now):
    ada = people.create(emails=["ada@x.example"], actor=None, now=now)
    visitor = Visitor.objects.create(
        source=web, anonymous_id="v", person=ada, first_seen_at=now, last_seen_at=now
    )
    for hours in (1, 2):
        Session.objects.create(
            visitor=visitor,
            source=web,
            person=ada,
            started_at=now - timedelta(hours=hours),
            last_at=now,
            pages=hours,
            channel=Channel.objects.get(code="direct"),
        )
    client = client_for(olga)
    found = client.get(f"/api/v1/people/{ada.pk}/sessions").json()["results"]
    assert [(row["pages"], row["channel"], row["source"]) for row in found] == [
        (1, "direct", "web"),
        (2, "direct", "web"),
    ]
    assert client.get("/api/v1/people/999999/sessions").status_code == 404
