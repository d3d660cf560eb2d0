"""What a rep is told when a lead is delivered; frozen into the handoff, so it stays as it was told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Count, Max

from funnel.domain.fit import Facts
from funnel.selectors import scores
from leads.models import Event, EventKind, Lead, Touchpoint

PAGES = 10
ACTIONS = 10


def assemble(
    *, lead: Lead, missing: Sequence[str], now: datetime, known: Facts | None = None
) -> dict[str, Any]:
    """The packet of ``lead`` at ``now``: scores with reasons, origin story, behaviour, what is missing."""
    return {
        "scores": scores.explain(lead=lead, at=now, known=known).to_json(),
        "origin": origin(lead),
        "pages": pages(lead.person_id, until=now),
        "actions": actions(lead.person_id, until=now),
        "description": lead.description,
        "missing": list(missing),
    }


def origin(lead: Lead) -> dict[str, Any]:
    """How the person came: first touch, the touch by which the lead was captured, the campaign."""
    touches = Touchpoint.objects.filter(person_id=lead.person_id).select_related("channel", "campaign")
    first = touches.order_by("occurred_at", "pk").first()
    earlier = touches.filter(occurred_at__lte=lead.captured_at) if first else touches.none()
    converting = earlier.order_by("-occurred_at", "-pk").first()
    return {
        "captured_at": lead.captured_at.isoformat(),
        "lap": lead.lap,
        "origin": lead.origin,
        "source": lead.source.name,
        "channel": lead.channel.name if lead.channel else "",
        "campaign": lead.campaign.name if lead.campaign else "",
        "landing_page": lead.landing_page,
        "first_touch": _touch(first),
        "converting_touch": _touch(converting),
        "touches": touches.count() if first else 0,
    }


def pages(person_id: int, *, until: datetime) -> list[dict[str, Any]]:
    """The pages seen last, each with how often and when last."""
    rows = (
        Event.objects.filter(person_id=person_id, kind=EventKind.PAGE, occurred_at__lte=until)
        .values("url", "name")
        .annotate(times=Count("pk"), last_at=Max("occurred_at"))
        .order_by("-last_at", "url")[:PAGES]
    )
    return [
        {
            "url": row["url"],
            "title": row["name"],
            "times": row["times"],
            "last_at": row["last_at"].isoformat(),
        }
        for row in rows
    ]


def actions(person_id: int, *, until: datetime) -> list[dict[str, Any]]:
    """What the person did last, other than looking at pages: forms, downloads, replies."""
    rows = (
        Event.objects.filter(person_id=person_id, occurred_at__lte=until)
        .exclude(kind__in=[EventKind.PAGE, EventKind.IDENTIFY])
        .order_by("-occurred_at", "-pk")[:ACTIONS]
    )
    return [{"kind": row.kind, "name": row.name, "at": row.occurred_at.isoformat()} for row in rows]


def _touch(touch: Touchpoint | None) -> dict[str, Any] | None:
    if touch is None:
        return None
    return {
        "at": touch.occurred_at.isoformat(),
        "channel": touch.channel.name,
        "campaign": touch.campaign.name if touch.campaign else "",
        "title": touch.title,
        "url": touch.url,
    }
