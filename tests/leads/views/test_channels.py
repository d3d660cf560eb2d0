"""The page of the rules of channels."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from leads.models import ChannelRuleSet
from leads.selectors import channel_rules as reads

pytestmark = pytest.mark.django_db


@pytest.fixture
def marketer(mara) -> Client:
    client = Client()
    client.force_login(mara)
    return client


def test_the_page_lists_the_rules_and_tries_one(marketer):
    page = marketer.get(
        reverse("leads:channels"),
        {"url": "https://x.example/?utm_source=bing&utm_medium=ppc", "referrer": ""},
    )
    text = page.content.decode()
    assert "Paid search" in text
    assert "by rule 5" in text


def test_what_is_pasted_into_the_bench_stays_text(marketer):
    marker = "<script>alert(1)</script>"
    page = marketer.get(
        reverse("leads:channels"), {"url": f"https://x.example/?utm_source={marker}", "referrer": marker}
    )
    assert marker not in page.content.decode()


def test_a_rule_is_added_moved_removed_and_the_removal_undone(marketer):
    new = {"channel": "pr", "source": "press*\nnews", "first": "on", "version": 1}
    assert marketer.post(reverse("leads:channel_rule_new"), new).status_code == 303
    rule = reads.in_force().rules[0]
    assert (rule.channel, rule.source) == ("pr", ("press*", "news"))
    marketer.post(reverse("leads:channel_rule_move", args=[rule.id]), {"to": 3, "version": 2})
    assert reads.in_force().rules[3] == rule
    marketer.post(reverse("leads:channel_rule_remove", args=[rule.id]), {"version": 3})
    assert rule not in reads.in_force().rules
    marketer.post(reverse("leads:channel_rules_restore", args=[3, 4]))
    assert reads.in_force().rules[3] == rule


def test_a_refused_rule_is_shown_again_with_what_is_wrong(marketer):
    answer = marketer.post(reverse("leads:channel_rule_new"), {"channel": "pr", "version": 1})
    assert answer.status_code == 422
    assert "must ask for something" in answer.content.decode()
    assert ChannelRuleSet.objects.count() == 1


def test_a_rule_is_edited(marketer):
    address = reverse("leads:channel_rule_edit", args=[5])
    assert "*cp*" in marketer.get(address).content.decode()
    given = {"channel": "paid_search", "medium": "cpc", "site": ["search"], "version": 1}
    assert marketer.post(address, given).status_code == 303
    assert reads.in_force().rule(5).medium == ("cpc",)


def test_a_rep_reads_the_rules_and_changes_none(rita):
    client = Client()
    client.force_login(rita)
    assert "New rule" not in client.get(reverse("leads:channels")).content.decode()
    refused = client.post(reverse("leads:channel_rule_remove", args=[1]), {"version": 1})
    assert refused.status_code == 403
    assert ChannelRuleSet.objects.count() == 1
