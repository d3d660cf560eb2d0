"""The outbox rows of levels of clocks, put by one statement.

A sweep brings hundreds of levels at once. What differs from row to row is joined where it is stored; what
many rows share (words, who is told) is sent once and named by its place in a list.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sla.events import LevelReached
from sla.selectors.links import lead_path_parts
from smarketing.core import loops
from smarketing.core.prepared import Statement

# Words stand in the texts of ``format``: %1$s the lead, %2$s the owner, %3$s the deadline.
LEAD, OWNER, DEADLINE = "\x01", "\x02", "\x03"
_PLACES = {LEAD: "%1$s", OWNER: "%2$s", DEADLINE: "%3$s"}

_PUT = Statement(
    "clock_alerts",
    """
INSERT INTO notifications_outbox (dedupe_key, topic, payload, notice, created_at)
SELECT 'clock:' || n.clock_id || ':' || n.level,
       n.topic,
       jsonb_build_object(
         'clock_id', n.clock_id, 'handoff_id', n.handoff_id, 'lead_id', h.lead_id, 'owner_id', n.owner_id,
         'promise', n.promise, 'level', n.level, 'kind', n.kind, 'due_at', n.due_at),
       CASE WHEN n.told = 0 THEN '{}'::jsonb ELSE jsonb_build_object(
         'text', format((%(texts)s::text[])[n.text],
                        coalesce(nullif(btrim(p.first_name || ' ' || p.last_name), ''),
                                 format(%(nameless)s::text, h.lead_id)),
                        (%(names)s::text[])[n.name], n.deadline),
         'user_ids', ((%(tolds)s::text[])[n.told])::jsonb,
         'link', %(before)s::text || h.lead_id || %(after)s::text) END,
       %(now)s::timestamptz
  FROM unnest(%(clocks)s::bigint[], %(handoffs)s::bigint[], %(owners)s::bigint[], %(promises)s::text[],
              %(levels)s::int[], %(topics)s::text[], %(kinds)s::text[], %(dues)s::text[], %(text)s::int[],
              %(told)s::int[], %(name)s::int[], %(deadlines)s::text[])
       WITH ORDINALITY AS n (clock_id, handoff_id, owner_id, promise, level, topic, kind, due_at, text, told,
                             name, deadline, place)
  JOIN funnel_handoff h ON h.id = n.handoff_id
  JOIN leads_lead l ON l.id = h.lead_id
  JOIN leads_person p ON p.id = l.person_id
 ORDER BY n.place
    ON CONFLICT DO NOTHING
""",
    by="clocks",
)


@dataclass(frozen=True, slots=True)
class Row:
    """One level, its topic, and the notice: words with places, who is told, the owner, the deadline in words.

    Without words there is a row for webhooks alone.
    """

    level: LevelReached
    topic: str
    text: str = ""
    told: tuple[int, ...] = ()
    owner: str = ""
    deadline: str = ""


def put(*, rows: Sequence[Row], nameless: str, now: datetime) -> None:
    """Put the rows in their order, each once for ever; ``nameless`` tells of a lead without a name."""
    texts: dict[str, int] = {}
    tolds: dict[tuple[int, ...], int] = {}
    names: dict[str, int] = {}
    before, after = lead_path_parts()
    _PUT.count(
        clocks=[row.level.clock_id for row in rows],
        handoffs=[row.level.handoff_id for row in rows],
        owners=[row.level.owner_id for row in rows],
        promises=[str(row.level.promise) for row in rows],
        levels=[row.level.level for row in rows],
        topics=[row.topic for row in rows],
        kinds=[row.level.kind for row in rows],
        dues=[row.level.due_at.isoformat() for row in rows],
        text=[texts.setdefault(row.text, len(texts) + 1) for row in rows],
        told=[tolds.setdefault(row.told, len(tolds) + 1) if row.text else 0 for row in rows],
        name=[names.setdefault(row.owner, len(names) + 1) for row in rows],
        deadlines=[row.deadline for row in rows],
        texts=[_for_format(text) for text in texts],
        names=list(names),
        tolds=[json.dumps(told) for told in tolds],
        nameless=_for_format(nameless),
        before=before,
        after=after,
        now=now,
    )
    loops.nudge("outbox")


def _for_format(text: str) -> str:
    """The words as a text of PostgreSQL's ``format``, where a percent sign stands for itself."""
    text = text.replace("%", "%%")
    for mark, place in _PLACES.items():
        text = text.replace(mark, place)
    return text
