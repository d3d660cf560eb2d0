"""The ordered rules by which a visit gets its channel: the first that applies decides.

A rule names, per column, the patterns of which one must fit; an empty column asks for nothing. Patterns are
those of file names: ``*`` any text, ``?`` one character, ``[!a-z]`` none of these; case does not matter. The
defaults are the channel grouping of Google Analytics 4 in its order, with "AI assistant" (May 2026) ahead of
the organic rules. ``cpm`` also counts as paid, so a known search, social, video or shopping site with it is
that paid channel and only others are display.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from fnmatch import translate
from functools import lru_cache
from typing import Any

from leads.domain.sites import AI, SEARCH, SHOPPING, SOCIAL, VIDEO, kind_of_site
from leads.domain.tagging import CLICK_IDS
from leads.domain.urls import host_of

OTHER = "other"
SITES = (SEARCH, SOCIAL, VIDEO, SHOPPING, AI)
DIRECT_SOURCE, DIRECT_MEDIUM = "(direct)", "(none)"
MAX_RULES = 200
_NO_MEDIUM = frozenset({"", "(none)", "(not set)", "none"})
_NO_SOURCE = frozenset({"", "(direct)", "direct", "(not set)"})


@dataclass(frozen=True, slots=True)
class Traffic:
    """How a visit came: source and medium as they count, campaign, the other site's host, click ids."""

    source: str
    medium: str
    campaign: str = ""
    referrer: str = ""
    click_ids: frozenset[str] = frozenset()

    @property
    def site(self) -> str:
        """What kind of site the source is; "" for none that is known."""
        return kind_of_site(self.source)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. Columns hold patterns; ``site`` and ``click_id`` hold names."""

    id: int
    channel: str
    source: tuple[str, ...] = ()
    medium: tuple[str, ...] = ()
    campaign: tuple[str, ...] = ()
    referrer: tuple[str, ...] = ()
    site: tuple[str, ...] = ()
    click_id: tuple[str, ...] = ()

    @property
    def asks(self) -> dict[str, tuple[str, ...]]:
        """The columns that ask for something, with what they ask for."""
        return {name: values for name in COLUMNS if (values := getattr(self, name))}

    def applies(self, traffic: Traffic) -> bool:
        """Whether every column is satisfied."""
        return not self.failed(traffic)

    def failed(self, traffic: Traffic) -> str:
        """The first column that is not satisfied; "" when the rule applies."""
        for name in ("source", "medium", "campaign", "referrer"):
            patterns = getattr(self, name)
            if patterns and _matcher(patterns).match(getattr(traffic, name)) is None:
                return name
        if self.site and traffic.site not in self.site:
            return "site"
        if self.click_id and not traffic.click_ids & set(self.click_id):
            return "click_id"
        return ""

    def to_json(self) -> dict[str, Any]:
        """As it is stored: only what is not empty."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items() if v}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Rule:
        """The rule that ``to_json`` wrote."""
        lists = {name: tuple(row.get(name, ())) for name in COLUMNS}
        return cls(id=int(row["id"]), channel=str(row["channel"]), **lists)


COLUMNS = tuple(f.name for f in fields(Rule) if f.name not in ("id", "channel"))


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which rule decided, and for each one before it the column that did not fit."""

    channel: str
    rule: Rule | None
    passed_over: tuple[tuple[Rule, str], ...]


def traffic_of(
    *, source: str = "", medium: str = "", campaign: str = "", referrer: str = "",
    click_ids: Iterable[str] = (),
) -> Traffic:  # fmt: skip
    """How a visit came. Without a source or medium the referrer (a URL) says it; without any it is direct."""
    src, med = source.strip().lower(), medium.strip().lower()
    host = host_of(referrer)
    if src in _NO_SOURCE and med in _NO_MEDIUM:
        if host:
            src, med = host, {SEARCH: "organic", AI: "ai-assistant"}.get(kind_of_site(host), "referral")
        else:
            src, med = DIRECT_SOURCE, DIRECT_MEDIUM
    return Traffic(src, med, campaign.strip().lower(), host, frozenset(click_ids))


def decide(rules: Sequence[Rule], traffic: Traffic) -> Verdict:
    """The first rule that applies; the channel "other" where none does."""
    passed_over: list[tuple[Rule, str]] = []
    for rule in rules:
        failed = rule.failed(traffic)
        if not failed:
            return Verdict(rule.channel, rule, tuple(passed_over))
        passed_over.append((rule, failed))
    return Verdict(OTHER, None, tuple(passed_over))


def channel_of(rules: Sequence[Rule], traffic: Traffic) -> str:
    """The code of the channel."""
    return next((rule.channel for rule in rules if rule.applies(traffic)), OTHER)


def clean(rule: Rule) -> Rule:
    """The rule with trimmed, lower-case patterns, each once."""
    lists: dict[str, Any] = {
        name: tuple(
            dict.fromkeys(p for value in getattr(rule, name) if (p := " ".join(value.lower().split())))
        )
        for name in COLUMNS
    }
    return replace(rule, **lists)


def faults(rule: Rule) -> list[tuple[str, str]]:
    """What is wrong with a cleaned rule: (column, code)."""
    found = [("site", "unknown_site") for value in rule.site if value not in SITES]
    found += [("click_id", "unknown_click_id") for value in rule.click_id if value not in CLICK_IDS]
    for name in COLUMNS:
        values = getattr(rule, name)
        if len(values) > 100 or any(len(value) > 200 or value.count("*") > 8 for value in values):
            found.append((name, "too_long"))
    if not rule.asks:
        found.append(("source", "asks_nothing"))
    return found


@lru_cache(maxsize=2048)
def _matcher(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(translate(pattern) for pattern in patterns))


_PAID = ("*cp*", "ppc", "retargeting", "paid*")
_SHOP = ("shop*", "*[!a-df-z]shop*", "*shopping*")
_DEFAULTS: tuple[tuple[str, dict[str, tuple[str, ...]]], ...] = (
    ("cross_network", {"campaign": ("*cross-network*",)}),
    ("direct", {"source": (DIRECT_SOURCE,), "medium": (DIRECT_MEDIUM,)}),
    ("paid_shopping", {"site": (SHOPPING,), "medium": _PAID}),
    ("paid_shopping", {"campaign": _SHOP, "medium": _PAID}),
    ("paid_search", {"site": (SEARCH,), "medium": _PAID}),
    ("paid_social", {"site": (SOCIAL,), "medium": _PAID}),
    ("paid_video", {"site": (VIDEO,), "medium": _PAID}),
    ("display", {"medium": ("display", "banner", "expandable", "interstitial", "cpm")}),
    ("paid_other", {"medium": _PAID}),
    ("ai_assistant", {"medium": ("ai-assistant", "ai_assistant", "ai assistant")}),
    ("ai_assistant", {"campaign": ("(ai-assistant)",)}),
    ("ai_assistant", {"site": (AI,)}),
    ("organic_shopping", {"site": (SHOPPING,)}),
    ("organic_shopping", {"campaign": _SHOP}),
    ("organic_social", {"site": (SOCIAL,)}),
    ("organic_social",
     {"medium": ("social", "social-network", "social-media", "sm", "social network", "social media")}),
    ("organic_video", {"site": (VIDEO,)}),
    ("organic_video", {"medium": ("*video*",)}),
    ("organic_search", {"site": (SEARCH,)}),
    ("organic_search", {"medium": ("organic",)}),
    ("referral", {"medium": ("referral", "app", "link")}),
    ("email", {"source": ("email", "e-mail", "e_mail", "e mail")}),
    ("email", {"medium": ("email", "e-mail", "e_mail", "e mail")}),
    ("affiliates", {"medium": ("affiliate", "affiliates")}),
    ("audio", {"medium": ("audio",)}),
    ("sms", {"source": ("sms",)}),
    ("sms", {"medium": ("sms",)}),
    ("push", {"medium": ("*push", "*mobile*", "*notification*")}),
    ("push", {"source": ("firebase",)}),
)  # fmt: skip
DEFAULTS = tuple(Rule(id=n, channel=code, **asks) for n, (code, asks) in enumerate(_DEFAULTS, start=1))
