"""The rules of channels in force, and what became of them.

Compiled rules are kept per process by what they say. Whoever needs them reads the latest version, one row by
its key, so that a change counts in every process from the next batch on.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from leads.domain.channel_rules import Rule, Traffic, Verdict, channel_of, decide, traffic_of
from leads.domain.sessions import outside, source_and_medium
from leads.domain.tagging import CLICK_IDS, campaign_of
from leads.models import Channel, ChannelReview, ChannelRuleSet
from smarketing.core.errors import Missing

HISTORY = 20


class NoSuchRule(Missing):
    """There is no such rule, or no such version of the rules."""


@dataclass(slots=True)
class Rules:
    """One version, ready to decide."""

    number: int
    rules: tuple[Rule, ...]
    _known: dict[Traffic, str] = field(default_factory=dict)

    def channel_of(self, traffic: Traffic) -> str:
        """The code of the channel; what was decided once is remembered."""
        code = self._known.get(traffic)
        if code is None:
            if len(self._known) > 16_384:
                self._known.clear()
            code = self._known[traffic] = channel_of(self.rules, traffic)
        return code

    def rule(self, key: int) -> Rule:
        """The rule with this key. Raises :class:`NoSuchRule`."""
        for rule in self.rules:
            if rule.id == key:
                return rule
        raise NoSuchRule("There is no such rule.")


@dataclass(frozen=True, slots=True)
class Trial:
    """What the test bench shows: how an address and a referrer are read, and which rule decides."""

    traffic: Traffic
    verdict: Verdict
    channel: str


def in_force() -> Rules:
    """The latest version, by one query."""
    latest = ChannelRuleSet.objects.order_by("-number")[:1].get()
    return _compiled(latest.number, json.dumps(latest.rules))


@lru_cache(maxsize=4)
def _compiled(number: int, text: str) -> Rules:
    return Rules(number, tuple(Rule.from_json(row) for row in json.loads(text)))


def version(number: int) -> ChannelRuleSet:
    """One version. Raises :class:`NoSuchRule`."""
    found = ChannelRuleSet.objects.filter(number=number).first()
    if found is None:
        raise NoSuchRule("There is no such version.")
    return found


def history() -> Sequence[ChannelRuleSet]:
    """The last versions, the newest first."""
    return list(ChannelRuleSet.objects.select_related("actor").order_by("-number")[:HISTORY])


def last_review() -> ChannelReview | None:
    """The last time that past visits were judged anew, or are being."""
    return ChannelReview.objects.order_by("-rules").first()


def channel_names() -> dict[str, str]:
    """Code of each channel → its name, in the order of lists."""
    return dict(Channel.objects.values_list("code", "name"))


def try_out(*, url: str, referrer: str) -> Trial:
    """How a visit to ``url`` from ``referrer`` would be judged by the rules in force."""
    campaign = campaign_of({}, url=url)
    source, medium = source_and_medium(campaign)
    traffic = traffic_of(
        source=source,
        medium=medium,
        campaign=campaign.get("utm_campaign", ""),
        referrer=outside(referrer, url),
        click_ids=[name for name in CLICK_IDS if name in campaign],
    )
    verdict = decide(in_force().rules, traffic)
    return Trial(traffic, verdict, channel_names().get(verdict.channel, verdict.channel))
