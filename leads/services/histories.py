"""Giving visitors' behaviour to persons, backwards and forwards, as soon as they are known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Max, Min, Q

from leads.domain.identity import EMAIL, Node
from leads.domain.ownership import BEGINNING, END, Ownership
from leads.domain.sessions import Hit
from leads.models import Event, EventKind, Person, Session, Touchpoint, Visitor, VisitorJoin
from leads.services import identifiers
from leads.services.identities import Resolved
from smarketing.core.prepared import Statement

_POINTS = """
WITH v AS (
    SELECT x.id, x.since, k.source_id, k.anonymous_id
      FROM unnest(%s::bigint[], %s::timestamptz[]) AS x(id, since) JOIN leads_visitor k ON k.id = x.id
)
SELECT v.id, p.at, p.key, p.person_id
  FROM v CROSS JOIN LATERAL (
    (SELECT e.occurred_at AS at, e.id::text AS key, e.person_id
       FROM leads_event e WHERE e.visitor_id = v.id AND e.is_named AND e.occurred_at < v.since
      ORDER BY e.occurred_at DESC, e.id DESC LIMIT 1)
    UNION ALL
    SELECT e.occurred_at, e.id::text, e.person_id
      FROM leads_event e WHERE e.visitor_id = v.id AND e.is_named AND e.occurred_at >= v.since
    UNION ALL
    SELECT j.at, '~' || j.user_id, j.person_id
      FROM leads_visitorjoin j WHERE j.source_id = v.source_id AND j.anonymous_id = v.anonymous_id
  ) p
 WHERE p.person_id IS NOT NULL
"""
_GIVE = """
WITH spans AS (
    SELECT * FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::bigint[])
        AS s(visitor, since, until, person)
), old AS (
    SELECT e.id, e.person_id AS former, s.person, e.occurred_at, e.visitor_id, e.kind
      FROM spans s JOIN leads_event e
        ON e.visitor_id = s.visitor AND NOT e.is_named
       AND e.occurred_at >= s.since AND e.occurred_at < s.until
     WHERE e.person_id IS DISTINCT FROM s.person
     ORDER BY e.id FOR UPDATE OF e
), given AS (
    UPDATE leads_event e SET person_id = old.person FROM old WHERE e.id = old.id
)
SELECT id, former, person, occurred_at, visitor_id, kind FROM old
"""
_SETTLE = Statement(
    "visitors_settle",
    """
WITH other AS (
    SELECT v.id, n.person
      FROM unnest(%(visitors)s::bigint[], %(persons)s::bigint[]) AS n (visitor, person)
      JOIN leads_visitor v ON v.id = n.visitor
     WHERE v.person_id IS DISTINCT FROM n.person
     ORDER BY v.id FOR NO KEY UPDATE OF v
)
UPDATE leads_visitor v SET person_id = other.person FROM other WHERE v.id = other.id
""",
    by="visitors",
)


# Events that say something about the person they belong to.
_TELLING = (EventKind.IDENTIFY, EventKind.GROUP)


@dataclass(slots=True)
class Changes:
    """What became whose: events that joined a person, persons whose history differs, identify and group
    events that tell of another person now, and where to look for sessions. ``hits`` are new events of
    visitors; ``reworked`` are visitors of whom a stored event is somebody else's now.
    """

    joined: list[UUID] = field(default_factory=list)
    people: set[int] = field(default_factory=set)
    tell: list[UUID] = field(default_factory=list)
    ranges: dict[int, tuple[datetime, datetime]] = field(default_factory=dict)
    hits: dict[int, list[Hit]] = field(default_factory=lambda: defaultdict(list))
    reworked: set[int] = field(default_factory=set)

    def saw(self, visitor: int, at: datetime) -> None:
        """A stored event of the visitor at ``at`` became somebody else's."""
        self.reworked.add(visitor)
        self._reach(visitor, at)

    def came(self, visitor: int, hit: Hit) -> None:
        """The visitor has done something new."""
        self.hits[visitor].append(hit)
        self._reach(visitor, hit.at)

    def _reach(self, visitor: int, at: datetime) -> None:
        low, high = self.ranges.get(visitor, (at, at))
        self.ranges[visitor] = (min(low, at), max(high, at))


def ownerships(*, since: Mapping[int, datetime]) -> dict[int, Ownership]:
    """For each visitor the points from ``since`` on, and the last one before."""
    found = {visitor: Ownership() for visitor in since}
    if not found:
        return found
    with connection.cursor() as cursor:
        cursor.execute(_POINTS, [list(since), [_instant(at) for at in since.values()]])
        for visitor, at, key, person in cursor.fetchall():
            found[visitor].points.append((at, key, person))
    for visitor, ownership in found.items():
        ownership.points.sort()
        if ownership.points and ownership.points[0][0] < since[visitor]:
            ownership.since = since[visitor]
    return found


def give(*, ownerships: Mapping[int, Ownership], changes: Changes) -> None:
    """Bring the stored events that name nobody in line with their visitors' ownership."""
    spans = [(v, *span) for v, ownership in ownerships.items() for span in ownership.spans()]
    if not spans:
        return
    visitors, begins, ends, persons = zip(*spans, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            _GIVE,
            [list(visitors), [_instant(at) for at in begins], [_instant(at) for at in ends], list(persons)],
        )
        rows = cursor.fetchall()
    for key, former, person, at, visitor, kind in rows:
        _became(changes, key, former, person)
        changes.saw(visitor, at)
        if kind in _TELLING:
            changes.tell.append(UUID(str(key)))


def settle_visitors(*, ownerships: Mapping[int, Ownership]) -> None:
    """Write who each visitor is now. The points of ``ownerships`` reach up to the last."""
    owners = {visitor: ownership.at(END) for visitor, ownership in ownerships.items()}
    named = [(visitor, person) for visitor, person in owners.items() if person is not None]
    if named:
        visitors, persons = zip(*named, strict=True)
        _SETTLE.count(visitors=list(visitors), persons=list(persons))


def follow(*, resolved: Resolved, changes: Changes) -> set[int]:
    """Move what was named by identifiers that moved; return the visitors whose points have moved along."""
    visitors: set[int] = set()
    for node, former, home in resolved.moved:
        if former in resolved.absorbed:
            continue
        for event in _named_by(node, former):
            Event.objects.filter(pk=event.pk).update(person=home)
            changes.people |= {former, home}
            if event.kind in _TELLING:
                changes.tell.append(event.pk)
            if event.visitor_id is not None:
                visitors.add(event.visitor_id)
                changes.saw(event.visitor_id, event.occurred_at)
        visitors |= _joins_follow(node, former, home)
    for former, home in resolved.absorbed.items():
        visitors |= _absorb(former, home, changes)
    return visitors


def _named_by(node: Node, former: int) -> Iterable[Event]:
    kind, text = node
    named = Event.objects.filter(person=former, is_named=True)
    columns = ("pk", "kind", "visitor_id", "occurred_at", "properties")
    if kind != EMAIL:
        return list(named.filter(source=kind, user_id=text).only(*columns))
    rows = named.filter(kind=EventKind.IDENTIFY, user_id="").only(*columns)
    return [row for row in rows if _email_of(row) == text]


def _email_of(event: Event) -> str:
    try:
        return identifiers.email_of(text=str(event.properties.get("email", "")))
    except identifiers.BadEmail:
        return ""


def _joins_follow(node: Node, former: int, home: int) -> set[int]:
    kind, text = node
    if kind == EMAIL:
        return set()
    joins = VisitorJoin.objects.filter(source=kind, user_id=text, person=former)
    browsers = [(join.source_id, join.anonymous_id) for join in joins]
    joins.update(person=home)
    return visitors_of(browsers=browsers)


def visitors_of(*, browsers: Iterable[tuple[int, str]]) -> set[int]:
    """The visitors with these sources and ids that have been seen."""
    known = Q(pk__in=())
    for source, anonymous_id in browsers:
        known |= Q(source=source, anonymous_id=anonymous_id)
    return set(Visitor.objects.filter(known).values_list("pk", flat=True))


def _absorb(former: int, home: int, changes: Changes) -> set[int]:
    """Everything of a pseudonym becomes the identified person's; its row goes."""
    events = Event.objects.filter(person=former)
    changes.tell += list(events.filter(kind__in=_TELLING).values_list("pk", flat=True))
    seen = events.filter(visitor__isnull=False).order_by().values_list("visitor_id")
    for visitor, first, last in seen.annotate(first=Min("occurred_at"), last=Max("occurred_at")):
        changes.saw(visitor, first)
        changes.saw(visitor, last)
    joins = VisitorJoin.objects.filter(person=former)
    visitors = set(Visitor.objects.filter(person=former).values_list("pk", flat=True))
    visitors |= set(events.filter(visitor__isnull=False).values_list("visitor_id", flat=True))
    if events.exists():
        changes.people.add(home)
    for rows in (events, joins, Session.objects.filter(person=former)):
        rows.update(person=home)
    Touchpoint.objects.filter(person=former).update(person=home)
    Visitor.objects.filter(person=former).update(person=home)
    Person.objects.filter(pk=former).delete()
    changes.people.discard(former)
    return visitors


def _became(changes: Changes, key: object, former: int | None, person: int) -> None:
    if former is None:
        changes.joined.append(UUID(str(key)))
    else:
        changes.people |= {former, person}


def _instant(at: datetime) -> datetime | str:
    return "-infinity" if at == BEGINNING else "infinity" if at == END else at
