"""Sessions and touches of a visitor: pure projections of the visitor's events, the same in any order.

A session ends after half an hour without an event, or when the visitor becomes somebody else. A new campaign
or midnight does not end it, as in Google Analytics 4. A session has one touch per channel: the first event
that came by it. An event comes by a channel when it carries campaign parameters, a click id or a referrer of
another site; the first event of a session comes directly when it carries none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from leads.domain.urls import host_of

REST = timedelta(minutes=30)
PAGES = frozenset({"page", "screen"})
# What makes a session: behaviour on the site. Naming oneself and reading mail are none.
KINDS = frozenset({*PAGES, "track", "form"})
ENGAGED = "Page Engaged"  # tells the seconds for which a page was looked at
MAX_ENGAGEMENT, _MAX_AT_ONCE = 24 * 3600, 3600


@dataclass(slots=True)
class Hit:
    """One event of a visitor, as sessions look at it. Not frozen, like a message: many are made."""

    at: datetime
    id: UUID
    kind: str
    source: int = 0
    url: str = ""
    referrer: str = ""
    title: str = ""
    campaign: Mapping[str, str] = field(default_factory=dict)
    person: int | None = None
    engagement_seconds: int = 0

    @property
    def arrived(self) -> bool:
        """Whether it came from somewhere: parameters, a click id or another site's page."""
        return bool(self.campaign) or bool(outside(self.referrer, self.url))


@dataclass(frozen=True, slots=True)
class Touch:
    """The first event of a session that came by a channel."""

    hit: Hit
    channel: str


def engagement(seconds: float) -> int:
    """Whole seconds of engagement as they count: an hour at most at once, never less than none."""
    return int(max(0, min(seconds, _MAX_AT_ONCE)))


def outside(referrer: str, url: str) -> str:
    """The referrer where it is another site's; "" where it is ours (also from a subdomain) or missing."""
    theirs, ours = host_of(referrer), host_of(url)
    if not theirs or theirs == ours:
        return ""
    inside = bool(ours) and (theirs.endswith(f".{ours}") or ours.endswith(f".{theirs}"))
    return "" if inside else referrer


def sessions_of(hits: Iterable[Hit]) -> list[list[Hit]]:
    """The hits of one visitor, cut into sessions."""
    found: list[list[Hit]] = []
    for hit in sorted(hits, key=lambda h: (h.at, h.id)):
        last = found[-1][-1] if found else None
        if last is None or hit.at - last.at > REST or hit.person != last.person:
            found.append([hit])
        else:
            found[-1].append(hit)
    return found


def going_on(
    *, last_at: datetime, person: int | None, hits: Sequence[Hit]
) -> tuple[list[Hit], list[list[Hit]]]:
    """Which of ``hits``, all of them after ``last_at``, go on with the session that ended then, and the
    sessions that the others make. The same as cutting all its hits and these anew.
    """
    ordered = sorted(hits, key=lambda h: (h.at, h.id))
    count = 0
    for hit in ordered:
        if hit.at - last_at > REST or hit.person != person:
            break
        last_at, count = hit.at, count + 1
    return ordered[:count], sessions_of(ordered[count:])


class Going(Protocol):
    """A session that goes on."""

    last_at: datetime
    pages: int
    events: int
    engagement_seconds: int
    entry_url: str
    exit_url: str


def extend(*, session: Going, hits: Sequence[Hit]) -> None:
    """Let a session go on with ``hits``; how it began stays."""
    for hit in hits:
        session.pages += hit.kind in PAGES
        session.engagement_seconds += hit.engagement_seconds
        if hit.url:
            session.entry_url = session.entry_url or hit.url
            session.exit_url = hit.url
    session.engagement_seconds = min(session.engagement_seconds, MAX_ENGAGEMENT)
    session.events += len(hits)
    session.last_at = hits[-1].at


def touches_of(session: Sequence[Hit], channel_of: Callable[[Hit], str]) -> list[Touch]:
    """One touch per channel, in the order of the events."""
    found: dict[str, Touch] = {}
    for number, hit in enumerate(session):
        if number == 0 or hit.arrived:
            channel = channel_of(hit)
            found.setdefault(channel, Touch(hit, channel))
    return list(found.values())


def columns_of(session: Sequence[Hit]) -> dict[str, Any]:
    """What is told of a session, without its channel."""
    pages = [hit for hit in session if hit.kind in PAGES]
    located = [hit for hit in session if hit.url] or list(session)
    entry = session[0]
    return {
        "person_id": entry.person,
        "started_at": entry.at,
        "last_at": session[-1].at,
        "pages": len(pages),
        "events": len(session),
        "engagement_seconds": min(sum(hit.engagement_seconds for hit in session), MAX_ENGAGEMENT),
        "entry_url": located[0].url,
        "exit_url": located[-1].url,
        "referrer": outside(entry.referrer, entry.url),
        "parameters": dict(entry.campaign),
    }


def source_and_medium(campaign: Mapping[str, str]) -> tuple[str, str]:
    """utm_source and utm_medium; where both are missing, what a click id says by itself."""
    source, medium = campaign.get("utm_source", ""), campaign.get("utm_medium", "")
    if source or medium:
        return source, medium
    for name, said in _CLICKS.items():
        if name in campaign:
            return said
    return "", ""


# Advertising systems put these ids on paid clicks only. Facebook and X put theirs on every link, so those
# name the site and not the price.
_CLICKS = {
    "gclid": ("google", "cpc"),
    "gbraid": ("google", "cpc"),
    "wbraid": ("google", "cpc"),
    "dclid": ("google", "display"),
    "msclkid": ("bing", "cpc"),
    "li_fat_id": ("linkedin", "cpc"),
    "ttclid": ("tiktok", "cpc"),
    "fbclid": ("facebook", "referral"),
    "twclid": ("twitter", "referral"),
}
