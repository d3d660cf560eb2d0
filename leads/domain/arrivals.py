"""How the page on which somebody answered was reached: tags of its address, else the referrer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from leads.domain import channels, tagging

# What a click id says where nobody tagged the link.
_CLICKS = {
    "gclid": ("google", "cpc"),
    "gbraid": ("google", "cpc"),
    "wbraid": ("google", "cpc"),
    "dclid": ("google", "display"),
    "msclkid": ("bing", "cpc"),
    "fbclid": ("facebook", "social"),
    "li_fat_id": ("linkedin", "paid-social cpc"),
    "ttclid": ("tiktok", "cpc"),
    "twclid": ("twitter", "cpc"),
}


@dataclass(frozen=True, slots=True)
class Arrival:
    """``tags`` are utm parameters and click ids; ``channel`` is "" when nothing is known."""

    tags: Mapping[str, str]
    referrer: str
    channel: str


def read(*, page: str, referrer: str) -> Arrival:
    """From the address of the page and what led to it. The site's own pages are no referrer."""
    tags = tagging.campaign_of({}, url=page)
    host = channels.host_of(referrer)
    outside = referrer if host and host != channels.host_of(page) else ""
    source, medium = tags.get("utm_source", ""), tags.get("utm_medium", "")
    click = next((known for name, known in _CLICKS.items() if name in tags), None)
    if click and not source:
        source, medium = click
    if not (tags or outside or page):
        return Arrival(tags, "", "")
    code = channels.classify(source, medium, tags.get("utm_campaign", ""), outside)
    return Arrival(tags, outside, code)
