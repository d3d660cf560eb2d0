"""Keeping sessions and visit touchpoints in line with visitors' events.

Both are projections. After any change the neighbourhood is computed anew: the sessions that a change can
have reached, with all their events. So late and shuffled events leave the same rows as events in order;
rows keep their keys while they describe the same visit.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from django.db import connection, transaction

from leads.domain.sessions import KINDS, REST, Hit, Touch, columns_of, sessions_of
from leads.events import VisitsChanged
from leads.models import Channel, Session
from leads.selectors import channel_rules
from leads.services import visits
from smarketing.core import events
from smarketing.core.keysets import among

Range = tuple[datetime, datetime]
_COLUMNS = (
    "source_id", "person_id", "started_at", "last_at", "pages", "events", "engagement_seconds",
    "entry_url", "exit_url", "referrer", "parameters", "channel_id",
)  # fmt: skip
_CHANGE = """
UPDATE leads_session s
   SET source_id = n.source, person_id = n.person, started_at = n.began, last_at = n.last, pages = n.pages,
       events = n.events, engagement_seconds = n.engaged, entry_url = n.entry, exit_url = n.exit,
       referrer = n.referrer, parameters = n.parameters::jsonb, channel_id = n.channel
  FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::int[],
              %s::int[], %s::int[], %s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[])
    AS n(id, source, person, began, last, pages, events, engaged, entry, exit, referrer, parameters, channel)
 WHERE s.id = n.id
"""
_NEAR = """
SELECT s.id FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[]) AS r(visitor, low, high)
  JOIN leads_session s ON s.visitor_id = r.visitor AND s.started_at <= r.high AND s.last_at >= r.low
"""
_HITS = """
SELECT e.visitor_id, e.occurred_at, e.id, e.kind, e.url, e.person_id,
       e.context ->> 'referrer', e.context ->> 'title', e.context -> 'campaign',
       CASE WHEN e.name = 'Page Engaged' AND jsonb_typeof(e.properties -> 'seconds') = 'number'
            THEN (e.properties ->> 'seconds')::numeric ELSE 0 END, e.source_id
  FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[]) AS r(visitor, low, high)
  JOIN leads_event e ON e.visitor_id = r.visitor AND e.occurred_at >= r.low AND e.occurred_at <= r.high
 WHERE e.kind = ANY(%s) AND e.screened = ''
"""


@transaction.atomic
def refresh(*, ranges: Mapping[int, Range], now: datetime) -> None:
    """Bring sessions and touchpoints in line with the events of each visitor around its range.

    The caller holds the visitors' locks.
    """
    if not ranges:
        return
    present = _near(ranges)
    wide = _widened(ranges, present)
    hits = _hits(wide)
    wanted = {visitor: sessions_of(hits[visitor]) for visitor in ranges}
    rules = channel_rules.in_force()
    codes = {channel.code: channel.pk for channel in Channel.objects.all()}
    days: set[tuple[int, date]] = set()
    touches: list[Touch] = []
    rows: list[Session] = []
    for visitor, sessions in wanted.items():
        for session in sessions:
            found = visits.touches(session=session, rules=rules)
            touches += [touch for touch in found if touch.hit.person is not None]
            own = {"source_id": session[0].source, "channel_id": codes[found[0].channel]}
            rows.append(Session(visitor_id=visitor, **columns_of(session), **own))
    _write(present, rows, days)
    seen = [hit for found in hits.values() for hit in found]
    visits.write(found=touches, hits=seen, codes=codes, now=now)
    if days:
        events.publish(VisitsChanged(tuple(sorted(days)), now))


def _near(ranges: Mapping[int, Range]) -> list[Session]:
    """The sessions that a change in these ranges can reach, locked by their visitors' locks."""
    lows = [low - REST for low, _high in ranges.values()]
    highs = [high + REST for _low, high in ranges.values()]
    with connection.cursor() as cursor:
        cursor.execute(_NEAR, [list(ranges), lows, highs])
        ids = [pk for (pk,) in cursor.fetchall()]
    return list(Session.objects.filter(pk__in=among(ids)).order_by("started_at", "pk"))


def _widened(ranges: Mapping[int, Range], present: Sequence[Session]) -> dict[int, Range]:
    wide = dict(ranges)
    for session in present:
        low, high = wide[session.visitor_id]
        wide[session.visitor_id] = (min(low, session.started_at), max(high, session.last_at))
    return wide


def _hits(ranges: Mapping[int, Range]) -> dict[int, list[Hit]]:
    hits: dict[int, list[Hit]] = defaultdict(list)
    lows, highs = zip(*ranges.values(), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(_HITS, [list(ranges), list(lows), list(highs), sorted(KINDS)])
        for visitor, at, key, kind, url, person, referrer, title, campaign, engaged, source in cursor:
            hits[visitor].append(
                Hit(
                    at=at,
                    id=key,
                    kind=kind,
                    source=source,
                    url=url,
                    referrer=referrer or "",
                    title=title or "",
                    campaign=json.loads(campaign) if campaign else {},
                    person=person,
                    engagement_seconds=max(0, min(int(engaged), 3600)),
                )
            )
    return hits


def _write(present: Sequence[Session], wanted: Sequence[Session], days: set[tuple[int, date]]) -> None:
    """Change what differs; a row goes on as the session that begins when it did, else as any other."""
    left: dict[int, list[Session]] = defaultdict(list)
    for row in present:
        left[row.visitor_id].append(row)
    new: list[Session] = []
    pairs: list[tuple[Session, Session]] = []
    later: list[Session] = []
    for row in wanted:
        same = next((r for r in left[row.visitor_id] if r.started_at == row.started_at), None)
        if same is None:
            later.append(row)
        else:
            left[row.visitor_id].remove(same)
            pairs.append((same, row))
    for row in later:
        if left[row.visitor_id]:
            pairs.append((left[row.visitor_id].pop(0), row))
        else:
            new.append(row)
    changed = [(old, row) for old, row in pairs if any(getattr(old, c) != getattr(row, c) for c in _COLUMNS)]
    gone = [row for rows in left.values() for row in rows]
    touched = [*new, *gone, *(row for pair in changed for row in pair)]
    days |= {(row.source_id, row.started_at.date()) for row in touched}
    for old, row in changed:
        for column in _COLUMNS:
            setattr(old, column, getattr(row, column))
    Session.objects.filter(pk__in=among(row.pk for row in gone)).delete()
    _change([old for old, _row in changed])
    Session.objects.bulk_create(new, batch_size=500)


def _change(rows: Sequence[Session]) -> None:
    """Write these rows in one statement: one expression per column and row would cost more than all else."""
    if not rows:
        return
    columns: list[list[object]] = [[row.pk for row in rows]]
    for name in _COLUMNS:
        values = [getattr(row, name) for row in rows]
        columns.append([json.dumps(value) for value in values] if name == "parameters" else values)
    with connection.cursor() as cursor:
        cursor.execute(_CHANGE, columns)
