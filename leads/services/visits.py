"""Touchpoints of website visits: one per channel and session, known by the event that each stands for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from leads.domain.channel_rules import Traffic, traffic_of
from leads.domain.sessions import Hit, Touch, outside, source_and_medium, touches_of
from leads.domain.tagging import CLICK_IDS
from leads.events import TouchpointsRecorded
from leads.models import Lead, Touchpoint, TouchpointKind
from leads.selectors.channel_rules import Rules
from leads.services import campaign_names
from leads.services.campaign_names import Named
from smarketing.core import events
from smarketing.core.keysets import among


def touches(*, session: Sequence[Hit], rules: Rules) -> list[Touch]:
    """The contacts of one session by these rules of channels; the first is how it began."""
    return touches_of(session, lambda hit: rules.channel_of(_traffic(hit)))


def _traffic(hit: Hit) -> Traffic:
    source, medium = source_and_medium(hit.campaign)
    return traffic_of(
        source=source,
        medium=medium,
        campaign=hit.campaign.get("utm_campaign", ""),
        referrer=outside(hit.referrer, hit.url),
        click_ids=[name for name in CLICK_IDS if name in hit.campaign],
    )


def write(*, found: Sequence[Touch], hits: Sequence[Hit], codes: Mapping[str, int], now: datetime) -> None:
    """Store ``found``; what of ``hits`` has a touchpoint and is none of them any more goes.

    ``codes`` are the keys of the channels. Needs a transaction; the caller holds the visitors' locks.
    """
    if not found and not hits:
        return
    known = _stored([*hits, *(touch.hit for touch in found)])
    laps = _laps({touch.hit.person for touch in found if touch.hit.person is not None})
    campaigns = campaign_names.in_links(tags=[touch.hit.campaign for touch in found])
    new: list[Touchpoint] = []
    for touch in found:
        values = _columns(touch, codes, laps, campaigns)
        row = known.pop(_key(touch.hit), None)
        if row is None:
            own = {
                "source_id": touch.hit.source,
                "external_id": _key(touch.hit),
                "kind": TouchpointKind.VISIT,
            }
            new.append(Touchpoint(**values, **own, created_at=now, updated_at=now))
        elif different := [name for name, value in values.items() if getattr(row, name) != value]:
            for name in different:
                setattr(row, name, values[name])
            row.updated_at = now
            row.save(update_fields=[*different, "updated_at"])
    if known:
        Touchpoint.objects.filter(pk__in=among(row.pk for row in known.values())).delete()
    if new:
        made = Touchpoint.objects.bulk_create(new, batch_size=500)
        events.publish(TouchpointsRecorded(tuple(row.pk for row in made), now))


def _stored(hits: Sequence[Hit]) -> dict[str, Touchpoint]:
    rows = Touchpoint.objects.raw(
        "SELECT * FROM leads_touchpoint WHERE source_id = ANY(%s) AND external_id = ANY(%s) AND kind = %s",
        [sorted({hit.source for hit in hits}), [_key(hit) for hit in hits], TouchpointKind.VISIT.value],
    )
    return {row.external_id or "": row for row in rows}


def _key(hit: Hit) -> str:
    return f"visit {hit.id}"


def _columns(
    touch: Touch,
    codes: Mapping[str, int],
    laps: Mapping[int, Sequence[Lead]],
    campaigns: Named,
) -> dict[str, Any]:
    hit = touch.hit
    return {
        "person_id": hit.person,
        "lead_id": _lap_at(laps.get(hit.person or 0, ()), hit.at),
        "occurred_at": hit.at,
        "channel_id": codes[touch.channel],
        "campaign_id": campaigns.of(hit.campaign),
        "title": hit.title[:300],
        "url": hit.url,
        "referrer": outside(hit.referrer, hit.url),
        "parameters": dict(hit.campaign),
    }


def _lap_at(laps: Sequence[Lead], at: datetime) -> int | None:
    """The lap that a touch belongs to: the one that ran then, or the next one, to which it led."""
    return next((lap.pk for lap in laps if lap.closed_at is None or lap.closed_at > at), None)


def _laps(people: Collection[int]) -> dict[int, list[Lead]]:
    found: dict[int, list[Lead]] = defaultdict(list)
    laps = Lead.objects.filter(person_id__in=among(people)).only("pk", "person_id", "closed_at")
    for lap in laps.order_by("person_id", "lap"):
        found[lap.person_id].append(lap)
    return found
