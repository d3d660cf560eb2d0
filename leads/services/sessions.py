"""Keeping sessions and visit touchpoints in line with visitors' events.

Both are projections. Events that come in order are added to the last session as they come. After any other
change the neighbourhood is computed anew: the sessions that the change can have reached, with all their
events. So late and shuffled events leave the same rows as events in order; rows keep their keys while they
describe the same visit.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import pairwise
from typing import Any

from django.db import connection, transaction

from leads.domain.sessions import (
    ENGAGED,
    KINDS,
    REST,
    Hit,
    Touch,
    columns_of,
    engagement,
    extend,
    going_on,
    sessions_of,
)
from leads.events import VisitsChanged
from leads.models import Channel, Session
from leads.selectors import channel_rules
from leads.services import visits
from leads.services.histories import Changes
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
_GO_ON = """
UPDATE leads_session s
   SET last_at = n.last, pages = n.pages, events = n.events, engagement_seconds = n.engaged,
       entry_url = n.entry, exit_url = n.exit
  FROM unnest(%s::bigint[], %s::timestamptz[], %s::int[], %s::int[], %s::int[], %s::text[], %s::text[])
    AS n(id, last, pages, events, engaged, entry, exit)
 WHERE s.id = n.id
"""
_ADD = f"""
INSERT INTO leads_session (visitor_id, {", ".join(_COLUMNS)})
SELECT visitor, source, person, began, last, pages, events, engaged, entry, exit, referrer, parameters::jsonb,
       channel
  FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::int[],
              %s::int[], %s::int[], %s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[])
    AS n(visitor, source, person, began, last, pages, events, engaged, entry, exit, referrer, parameters,
         channel)
"""  # noqa: S608  (only names of this module)
_NEAR = f"""
SELECT s.id, s.visitor_id, {", ".join(f"s.{name}" for name in _COLUMNS)}
  FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[]) AS r(visitor, low, high)
  JOIN leads_session s ON s.visitor_id = r.visitor AND s.started_at <= r.high AND s.last_at >= r.low
 ORDER BY s.visitor_id, s.started_at, s.id
"""  # noqa: S608  (only names of this module)
_HITS = """
SELECT e.visitor_id, e.occurred_at, e.id, e.kind, e.url, e.person_id,
       e.context ->> 'referrer', e.context ->> 'title', e.context -> 'campaign',
       CASE WHEN e.name = %s AND jsonb_typeof(e.properties -> 'seconds') = 'number'
            THEN (e.properties ->> 'seconds')::numeric ELSE 0 END, e.source_id
  FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[]) AS r(visitor, low, high)
  JOIN leads_event e ON e.visitor_id = r.visitor AND e.occurred_at >= r.low AND e.occurred_at <= r.high
 WHERE e.kind = ANY(%s) AND e.screened = ''
"""


@dataclass(slots=True)
class _Row:
    """A row of sessions, lighter than the model: a batch holds hundreds. ``pk`` is 0 until it is stored."""

    pk: int
    visitor_id: int
    source_id: int
    person_id: int | None
    started_at: datetime
    last_at: datetime
    pages: int
    events: int
    engagement_seconds: int
    entry_url: str
    exit_url: str
    referrer: str
    parameters: Any
    channel_id: int


@dataclass(slots=True)
class _Plan:
    """What is to be written: sessions that go on, those computed anew and what there is of them, touches, and
    the events whose touchpoints are looked at.
    """

    going: list[_Row] = field(default_factory=list)
    present: list[_Row] = field(default_factory=list)
    sessions: list[_Row] = field(default_factory=list)
    touches: list[Touch] = field(default_factory=list)
    hits: list[Hit] = field(default_factory=list)


@transaction.atomic
def refresh(*, changes: Changes, now: datetime) -> None:
    """Bring sessions and touchpoints in line with the events of each visitor around what changed.

    The caller holds the visitors' locks.
    """
    if not changes.ranges:
        return
    present = _near(changes.ranges)
    teller = _Teller()
    plan = _Plan()
    anew = {
        v: changes.ranges[v] for v in changes.ranges if not _goes_on(v, changes, present[v], teller, plan)
    }
    if anew:
        _compute_anew(anew, present, teller, plan)
    days = {(row.source_id, row.started_at.date()) for row in plan.going}
    _go_on(plan.going)
    _write(plan.present, plan.sessions, days)
    visits.write(found=plan.touches, hits=plan.hits, codes=teller.codes, now=now)
    if days:
        events.publish(VisitsChanged(tuple(sorted(days)), now))


class _Teller:
    """What sessions look like by the rules of channels in force."""

    def __init__(self) -> None:
        self.rules = channel_rules.in_force()
        self.codes = {channel.code: channel.pk for channel in Channel.objects.all()}

    def tell(self, visitor: int, session: Sequence[Hit], plan: _Plan) -> None:
        """Add a session that is computed from all its hits."""
        found = visits.touches(session=session, rules=self.rules)
        plan.touches += [touch for touch in found if touch.hit.person is not None]
        source, channel = session[0].source, self.codes[found[0].channel]
        columns = columns_of(session)
        plan.sessions.append(_Row(0, visitor, source_id=source, channel_id=channel, **columns))


def _goes_on(visitor: int, changes: Changes, present: Sequence[_Row], teller: _Teller, plan: _Plan) -> bool:
    """Add new events that come after all that is known near them without reading a stored one; say whether
    that could be done. A visit of a hundred pages would be read a hundred times otherwise.
    """
    hits = changes.hits.get(visitor)
    if visitor in changes.reworked or not hits:
        return False
    going: list[Hit] = []
    following = sessions_of(hits) if not present else []
    if present:
        last = max(present, key=lambda row: (row.last_at, row.started_at))
        if min(hit.at for hit in hits) <= last.last_at or _meet(present):
            return False
        going, following = going_on(last_at=last.last_at, person=last.person_id, hits=hits)
        if last.person_id is not None and any(hit.arrived for hit in going):
            return False  # whether the visit has a touch of that channel is told by all its events
        if going:
            extend(session=last, hits=going)
            plan.going.append(last)
    for session in following:
        teller.tell(visitor, session, plan)
    return True


def _meet(present: Sequence[_Row]) -> bool:
    """Whether two of these are one by now: persons can have been merged in between."""
    return any(
        one.person_id == next_one.person_id and next_one.started_at - one.last_at <= REST
        for one, next_one in pairwise(present)
    )


def _compute_anew(
    ranges: Mapping[int, Range], present: Mapping[int, list[_Row]], teller: _Teller, plan: _Plan
) -> None:
    near = [row for visitor in ranges for row in present[visitor]]
    hits = _hits(_widened(ranges, near))
    plan.present += near
    for visitor in ranges:
        for session in sessions_of(hits[visitor]):
            teller.tell(visitor, session, plan)
    plan.hits += [hit for found in hits.values() for hit in found]


def _near(ranges: Mapping[int, Range]) -> dict[int, list[_Row]]:
    """The sessions that a change in these ranges can reach, in order, locked by their visitors' locks."""
    lows = [low - REST for low, _high in ranges.values()]
    highs = [high + REST for _low, high in ranges.values()]
    found: dict[int, list[_Row]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_NEAR, [list(ranges), lows, highs])
        for values in cursor:
            row = _Row(*values)
            row.parameters = json.loads(row.parameters)
            found[row.visitor_id].append(row)
    return found


def _widened(ranges: Mapping[int, Range], present: Sequence[_Row]) -> dict[int, Range]:
    wide = dict(ranges)
    for session in present:
        low, high = wide[session.visitor_id]
        wide[session.visitor_id] = (min(low, session.started_at), max(high, session.last_at))
    return wide


def _hits(ranges: Mapping[int, Range]) -> dict[int, list[Hit]]:
    hits: dict[int, list[Hit]] = defaultdict(list)
    lows, highs = zip(*ranges.values(), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(_HITS, [ENGAGED, list(ranges), list(lows), list(highs), sorted(KINDS)])
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
                    engagement_seconds=engagement(engaged),
                )
            )
    return hits


def _write(present: Sequence[_Row], wanted: Sequence[_Row], days: set[tuple[int, date]]) -> None:
    """Change what differs; a row goes on as the session that begins when it did, else as any other."""
    left: dict[int, list[_Row]] = defaultdict(list)
    for row in present:
        left[row.visitor_id].append(row)
    new: list[_Row] = []
    pairs: list[tuple[_Row, _Row]] = []
    later: list[_Row] = []
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
    if gone:
        Session.objects.filter(pk__in=among(row.pk for row in gone)).delete()
    _store(_CHANGE, [old for old, _row in changed], ("pk", *_COLUMNS))
    _store(_ADD, new, ("visitor_id", *_COLUMNS))


def _go_on(rows: Sequence[_Row]) -> None:
    names = ("pk", "last_at", "pages", "events", "engagement_seconds", "entry_url", "exit_url")
    _store(_GO_ON, rows, names)


def _store(statement: str, rows: Sequence[_Row], names: Sequence[str]) -> None:
    """Write rows in one statement, column by column: an expression for each value would cost more than all
    the rest.
    """
    if not rows:
        return
    columns: list[list[object]] = []
    for name in names:
        values = [getattr(row, name) for row in rows]
        columns.append([json.dumps(value) for value in values] if name == "parameters" else values)
    with connection.cursor() as cursor:
        cursor.execute(statement, columns)
