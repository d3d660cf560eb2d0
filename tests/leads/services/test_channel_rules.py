"""The rules of channels: data in an order, each change a version, none lost by two at once."""

from __future__ import annotations

import pytest

from leads.domain.channel_rules import DEFAULTS, Rule, traffic_of
from leads.models import ChannelRuleSet
from leads.selectors import channel_rules as reads
from leads.services import channel_rules
from leads.services.channel_rules import BadRule
from leads.services.fields import EditedMeanwhile
from smarketing.audit.models import AuditEntry

pytestmark = pytest.mark.django_db
NEWS = Rule(id=0, channel="pr", referrer=("*.news.example", "news.example"))


def channel(**visit):
    return reads.in_force().channel_of(traffic_of(**visit))


def test_a_new_installation_has_the_default_grouping():
    assert reads.in_force().rules == DEFAULTS


def test_a_rule_put_first_decides_from_the_next_look_on(mara, now):
    assert channel(referrer="https://www.news.example/today") == "referral"
    made = channel_rules.add(rule=NEWS, first=True, expected=1, actor=mara, now=now)
    assert (made.number, channel(referrer="https://www.news.example/today")) == (2, "pr")
    entry = AuditEntry.objects.get(action="channel_rules_added")
    assert entry.actor == mara


def test_a_rule_at_the_end_leaves_the_others_the_word(mara, now):
    channel_rules.add(rule=NEWS, expected=1, actor=mara, now=now)
    assert channel(referrer="https://news.example/") == "referral"
    key = reads.in_force().rules[-1].id
    channel_rules.move(key=key, to=0, expected=2, actor=mara, now=now)
    assert channel(referrer="https://news.example/") == "pr"


def test_a_rule_that_is_removed_comes_back_with_its_version(mara, now):
    paid_search = DEFAULTS[4].id
    channel_rules.remove(key=paid_search, expected=1, actor=mara, now=now)
    assert channel(source="google", medium="cpc") == "paid_other"
    channel_rules.restore(number=1, expected=2, actor=mara, now=now)
    assert channel(source="google", medium="cpc") == "paid_search"
    assert reads.in_force().number == 3


def test_a_change_over_an_old_version_is_refused(mara, now):
    channel_rules.add(rule=NEWS, expected=1, actor=mara, now=now)
    with pytest.raises(EditedMeanwhile):
        channel_rules.remove(key=1, expected=1, actor=mara, now=now)
    assert ChannelRuleSet.objects.count() == 2


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        (Rule(id=0, channel="pr"), "source"),
        (Rule(id=0, channel="carrier_pigeon", source=("x",)), "channel"),
        (Rule(id=0, channel="pr", site=("shop floor",)), "site"),
        (Rule(id=0, channel="pr", click_id=("xclid",)), "click_id"),
        (Rule(id=0, channel="pr", medium=("*a*b*c*d*e*f*g*h*i*",)), "medium"),
    ],
)
def test_a_rule_that_can_not_be_used_is_named_and_changes_nothing(rule, field, mara, now):
    with pytest.raises(BadRule) as refusal:
        channel_rules.add(rule=rule, expected=1, actor=mara, now=now)
    assert [e.field for e in refusal.value.errors] == [field]
    assert ChannelRuleSet.objects.count() == 1


def test_click_ids_and_names_are_conditions_too(mara, now):
    rule = Rule(id=0, channel="paid_social", click_id=("fbclid",))
    channel_rules.add(rule=rule, first=True, expected=1, actor=mara, now=now)
    trial = reads.try_out(url="https://x.example/?fbclid=abc", referrer="")
    assert trial.verdict.rule.channel == "paid_social"


def test_the_bench_says_which_rule_decides_and_why_the_others_did_not():
    trial = reads.try_out(
        url="https://x.example/lp?utm_source=google&utm_medium=cpc&utm_campaign=Spring", referrer=""
    )
    assert (trial.traffic.source, trial.traffic.medium, trial.traffic.campaign) == ("google", "cpc", "spring")
    assert trial.verdict.rule == DEFAULTS[4]
    assert [(rule.id, failed) for rule, failed in trial.verdict.passed_over] == [
        (1, "campaign"),
        (2, "source"),
        (3, "site"),
        (4, "campaign"),
    ]


def test_a_referrer_of_our_own_site_is_no_referrer():
    assert reads.try_out(url="https://www.x.example/b", referrer="https://x.example/a").channel == "Direct"
