"""What a rep is told when a lead is delivered; frozen into the handoff, so it stays as it was told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from funnel.domain.fit import Facts
from funnel.models import LeadScore
from funnel.selectors import scores
from leads.models import Lead
from smarketing.core.prepared import Statement

PAGES = 10
ACTIONS = 10
_TOUCH = """
SELECT json_build_object('at', t.occurred_at, 'channel', ch.name, 'campaign', coalesce(ca.name, ''),
                         'title', t.title, 'url', t.url)
  FROM leads_touchpoint t
  JOIN leads_channel ch ON ch.id = t.channel_id
  LEFT JOIN leads_campaign ca ON ca.id = t.campaign_id
 WHERE t.person_id = l.person_id
"""
# The first touch, the one by which the lead was captured, how many there were; pages seen last, each with
# how often, and what was done last other than looking at pages.
_STORY = Statement(
    "packet_story",
    f"""
SELECT so.name, coalesce(ch.name, ''), coalesce(ca.name, ''),
       ({_TOUCH} ORDER BY t.occurred_at, t.id LIMIT 1),
       ({_TOUCH} AND t.occurred_at <= l.captured_at ORDER BY t.occurred_at DESC, t.id DESC LIMIT 1),
       (SELECT count(*) FROM leads_touchpoint t WHERE t.person_id = l.person_id),
       (SELECT coalesce(json_agg(p), '[]') FROM (
           SELECT e.url, e.name AS title, count(*) AS times, max(e.occurred_at) AS last_at
             FROM leads_event e
            WHERE e.person_id = l.person_id AND e.kind = 'page' AND e.occurred_at <= %(until)s::timestamptz
            GROUP BY e.url, e.name ORDER BY max(e.occurred_at) DESC, e.url LIMIT {PAGES}) p),
       (SELECT coalesce(json_agg(a), '[]') FROM (
           SELECT e.kind, e.name, e.occurred_at AS at
             FROM leads_event e
            WHERE e.person_id = l.person_id AND e.kind NOT IN ('page', 'identify')
              AND e.occurred_at <= %(until)s::timestamptz
            ORDER BY e.occurred_at DESC, e.id DESC LIMIT {ACTIONS}) a)
  FROM leads_lead l
  JOIN leads_source so ON so.id = l.source_id
  LEFT JOIN leads_channel ch ON ch.id = l.channel_id
  LEFT JOIN leads_campaign ca ON ca.id = l.campaign_id
 WHERE l.id = %(lead)s::bigint
""",  # noqa: S608 - composed of constants
)


def assemble(
    *,
    lead: Lead,
    missing: Sequence[str],
    now: datetime,
    known: Facts | None = None,
    score: LeadScore | None = None,
) -> dict[str, Any]:
    """The packet of ``lead`` at ``now``: scores with reasons, origin story, behaviour, what is missing.

    ``known`` are its facts and ``score`` its score, if the caller has read them.
    """
    (story,) = _STORY.rows(lead=lead.pk, until=now)
    source, channel, campaign, first, converting, touches, pages, actions = story
    return {
        "scores": scores.explain(lead=lead, at=now, known=known, score=score).to_json(),
        "origin": {
            "captured_at": lead.captured_at.isoformat(),
            "lap": lead.lap,
            "origin": lead.origin,
            "source": source,
            "channel": channel,
            "campaign": campaign,
            "landing_page": lead.landing_page,
            "first_touch": _dated(first, "at"),
            "converting_touch": _dated(converting, "at"),
            "touches": touches,
        },
        "pages": [_dated(page, "last_at") for page in _read(pages)],
        "actions": [_dated(action, "at") for action in _read(actions)],
        "description": lead.description,
        "missing": list(missing),
    }


def _read(told: Any) -> Any:
    """The driver may hand JSON over as text."""
    return json.loads(told) if isinstance(told, str) else told


def _dated(told: Any, name: str) -> dict[str, Any] | None:
    """With its instant written as everywhere else in a packet."""
    row: dict[str, Any] | None = _read(told)
    if row is not None:
        row[name] = datetime.fromisoformat(row[name]).isoformat()
    return row
