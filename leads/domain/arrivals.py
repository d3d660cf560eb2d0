"""How the page on which somebody answered was reached: tags of its address, else the referrer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leads.domain import tagging
from leads.domain.channel_rules import Rule, channel_of, traffic_of
from leads.domain.sessions import outside, source_and_medium


@dataclass(frozen=True, slots=True)
class Arrival:
    """``tags`` are utm parameters and click ids; ``channel`` is "" when nothing is known."""

    tags: Mapping[str, str]
    referrer: str
    channel: str


def read(*, page: str, referrer: str, rules: Sequence[Rule]) -> Arrival:
    """From the address of the page and what led to it. The site's own pages are no referrer."""
    tags = tagging.campaign_of({}, url=page)
    elsewhere = outside(referrer, page)
    if not (tags or elsewhere or page):
        return Arrival(tags, "", "")
    source, medium = source_and_medium(tags)
    traffic = traffic_of(
        source=source,
        medium=medium,
        campaign=tags.get("utm_campaign", ""),
        referrer=elsewhere,
        click_ids=[name for name in tagging.CLICK_IDS if name in tags],
    )
    return Arrival(tags, elsewhere, channel_of(rules, traffic))
