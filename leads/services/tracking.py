"""Applying tracking messages: visitors, persons, events, sessions and touchpoints, effectively once each.

The outcome depends on the set of messages and not on their order, number or grouping (I-5): who is who
comes from claims read in the order in which they happened (``identities``), whose behaviour it is from the
instants at which a visitor was named (``histories``), and sessions, touchpoints and traits are projections
of the stored events that are computed anew wherever something changed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from leads.domain import naming
from leads.domain.identity import Node
from leads.domain.naming import Naming
from leads.domain.ownership import BEGINNING, Ownership, Point
from leads.domain.sessions import ENGAGED, KINDS, Hit, engagement
from leads.domain.tracking import Message, MessageType
from leads.events import EventsJoined, HistoriesChanged
from leads.models import EventKind, Source, VisitorJoin
from leads.services import (
    employments,
    histories,
    identifiers,
    identities,
    newcomers,
    screening,
    sessions,
    traits,
)
from leads.services import events as stored
from leads.services.events import EventInput
from leads.services.histories import Changes
from leads.services.newcomers import Identified
from smarketing.core import events, locks

_KINDS = {
    MessageType.TRACK: EventKind.TRACK,
    MessageType.PAGE: EventKind.PAGE,
    MessageType.SCREEN: EventKind.SCREEN,
    MessageType.IDENTIFY: EventKind.IDENTIFY,
    MessageType.GROUP: EventKind.GROUP,
    MessageType.ALIAS: EventKind.ALIAS,
}
# The names that the specification gives to what happens with a mail.
_MAIL = {"email opened": EventKind.EMAIL_OPEN, "email link clicked": EventKind.EMAIL_CLICK}
_SEE = """
INSERT INTO leads_visitor AS v (source_id, anonymous_id, first_seen_at, last_seen_at)
SELECT * FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[], %s::timestamptz[])
ON CONFLICT (source_id, anonymous_id) DO UPDATE
   SET first_seen_at = least(v.first_seen_at, excluded.first_seen_at),
       last_seen_at = greatest(v.last_seen_at, excluded.last_seen_at)
RETURNING id, source_id, anonymous_id
"""
Browser = tuple[int, str]


@dataclass(slots=True)
class _Batch:
    """Messages on their way into the tables."""

    messages: Sequence[Message]
    names: Mapping[UUID, Naming]
    person_of: dict[Node, int] = field(default_factory=dict)
    visitors: dict[Browser, int] = field(default_factory=dict)

    def visitor_of(self, message: Message) -> int | None:
        """The visitor's key; None for what a server sent, or a mail program."""
        if _kind(message) in (EventKind.EMAIL_OPEN, EventKind.EMAIL_CLICK):
            return None
        return self.visitors.get((message.source_id, message.anonymous_id))

    def person_named(self, message: Message) -> int | None:
        """The person that the message itself names."""
        node = self.names[message.id].node
        return self.person_of[node] if node is not None else None


@transaction.atomic
def apply(*, messages: Sequence[Message], now: datetime) -> None:
    """Store what these messages tell; one that was applied before changes nothing.

    Batches are applied one at a time (the advisory lock on identities), so two never make or move the same
    person; a batch is what makes it fast. Then the visitors are locked, then persons. Publishes
    ``EventsRecorded``, ``EventsJoined`` for stored events of nobody that became somebody's, and
    ``HistoriesChanged`` for persons whose counted events came or went.
    """
    batch = _fresh(screening.kept(messages=messages, now=now))
    if not batch.messages:
        return
    locks.advisory(locks.Namespace.IDENTITY, 0)
    changes = Changes()
    moved = _name(batch, changes, now=now)
    _see(batch)
    moved |= _alias(batch)
    ownerships, points = _ownerships(batch, moved)
    changed = {v for v, ownership in ownerships.items() if ownership.add(points.get(v, ())) or v in moved}
    new = _store(batch, ownerships, changes, now=now)
    histories.give(ownerships={v: ownerships[v] for v in changed}, changes=changes)
    histories.settle_visitors(ownerships=ownerships)
    _project(changes, new, now=now)
    changes.people |= screening.judge_mails(event_ids=_mails(batch))
    newcomers.welcome(identified=_identified(batch), now=now)
    _tell(changes, now=now)


def _fresh(messages: Sequence[Message]) -> _Batch:
    """The messages that are not stored yet, each once, in the order in which they happened."""
    by_id = {message.id: message for message in messages}
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM leads_event WHERE id = ANY(%s::uuid[])", [[str(key) for key in by_id]])
        known = {key for (key,) in cursor.fetchall()}
    fresh = sorted((m for m in by_id.values() if m.id not in known), key=lambda m: (m.occurred_at, m.id))
    return _Batch(fresh, {m.id: naming.of(m, normal_form=_normal_form) for m in fresh})


@lru_cache(maxsize=16_384)
def _normal_form(text: str) -> str:
    try:
        return identifiers.email_of(text=text)
    except identifiers.BadEmail:
        return ""


def _name(batch: _Batch, changes: Changes, *, now: datetime) -> set[int]:
    """Find or make the persons that messages name; return visitors whose points went to somebody else."""
    claims = [claim for name in batch.names.values() for claim in name.claims]
    users = {name.node for name in batch.names.values() if name.node is not None}
    if not users:
        return set()
    resolved = identities.resolve(claims=claims, users=users, now=now)
    batch.person_of = resolved.person_of
    return histories.follow(resolved=resolved, changes=changes)


def _see(batch: _Batch) -> None:
    """Keep when each visitor was first and last seen; this locks them, in one order."""
    seen: dict[Browser, tuple[datetime, datetime]] = {}
    for message in batch.messages:
        if message.anonymous_id:
            browser = (message.source_id, message.anonymous_id)
            first, _last = seen.get(browser, (message.occurred_at, message.occurred_at))
            seen[browser] = (first, message.occurred_at)
    if not seen:
        return
    rows = [(*browser, *span) for browser, span in sorted(seen.items())]
    with connection.cursor() as cursor:
        cursor.execute(_SEE, [list(column) for column in zip(*rows, strict=True)])
        batch.visitors = {(source, anonymous): pk for pk, source, anonymous in cursor.fetchall()}


def _alias(batch: _Batch) -> set[int]:
    """The former id of an alias may be a visitor's: what they did then is the person's. Returns those."""
    joins = [
        VisitorJoin(
            source_id=m.source_id,
            anonymous_id=m.previous_id,
            person_id=batch.person_of[m.source_id, m.user_id],
            user_id=m.user_id,
            at=m.occurred_at,
            applied_at=m.received_at,
        )
        for m in batch.messages
        if m.type is MessageType.ALIAS and m.user_id and m.previous_id
    ]
    if not joins:
        return set()
    VisitorJoin.objects.bulk_create(joins, ignore_conflicts=True)
    return histories.visitors_of(browsers=[(join.source_id, join.anonymous_id) for join in joins])


def _ownerships(batch: _Batch, moved: Collection[int]) -> tuple[dict[int, Ownership], dict[int, list[Point]]]:
    """Who owned what of the visitors before this batch, and the points that it adds."""
    since: dict[int, datetime] = {}
    points: dict[int, list[Point]] = {}
    for message in batch.messages:
        visitor = batch.visitor_of(message)
        if visitor is None:
            continue
        since.setdefault(visitor, message.occurred_at)
        person = batch.person_named(message)
        if person is not None:
            points.setdefault(visitor, []).append((message.occurred_at, str(message.id), person))
    since |= dict.fromkeys(moved, BEGINNING)
    return histories.ownerships(since=since), points


def _store(
    batch: _Batch, ownerships: Mapping[int, Ownership], changes: Changes, *, now: datetime
) -> list[UUID]:
    """Insert the events, each already with its person; return those that tell of a person."""
    sources = Source.objects.in_bulk({message.source_id for message in batch.messages})
    rows = []
    for message in batch.messages:
        visitor, person = batch.visitor_of(message), batch.person_named(message)
        is_named = person is not None
        if person is None and visitor is not None:
            person = ownerships[visitor].at(message.occurred_at)
        rows.append(_row(message, sources[message.source_id], visitor, person, is_named=is_named))
    new = set(stored.record(rows=rows, now=now))
    for row in rows:
        if row.visitor_id is not None and row.id in new and row.kind in KINDS:
            changes.came(row.visitor_id, _hit(row, now))
    return [m.id for m in batch.messages if m.type in (MessageType.IDENTIFY, MessageType.GROUP)]


def _row(
    message: Message, source: Source, visitor: int | None, person: int | None, *, is_named: bool
) -> EventInput:
    return EventInput(
        source=source,
        message_id=message.message_id,
        id=message.id,
        kind=_kind(message),
        occurred_at=message.occurred_at,
        received_at=message.received_at,
        person_id=person,
        anonymous_id=message.anonymous_id,
        name=message.name,
        url=message.page.url,
        properties=_properties(message),
        visitor_id=visitor,
        user_id=message.user_id,
        is_named=is_named,
        context=_context(message),
    )


def _hit(row: EventInput, now: datetime) -> Hit:
    """The event as sessions look at it: the same as what they would read."""
    return Hit(
        at=min(row.occurred_at, row.received_at or now, now),
        id=row.id or UUID(int=0),
        kind=row.kind,
        source=row.source.pk,
        url=row.url,
        referrer=row.context.get("referrer", ""),
        title=row.context.get("title", ""),
        campaign=row.context.get("campaign", {}),
        person=row.person_id,
        engagement_seconds=_seconds(row),
    )


def _seconds(row: EventInput) -> int:
    said = row.properties.get("seconds") if row.name == ENGAGED else None
    return engagement(said) if isinstance(said, int | float) and not isinstance(said, bool) else 0


def _kind(message: Message) -> str:
    if message.type is MessageType.TRACK:
        return _MAIL.get(message.name.lower(), EventKind.TRACK)
    return _KINDS[message.type]


def _properties(message: Message) -> Mapping[str, Any]:
    match message.type:
        case MessageType.IDENTIFY:
            return message.traits
        case MessageType.GROUP:
            return {**message.traits, "group_id": message.group_id}
        case MessageType.ALIAS:
            return {"previous_id": message.previous_id}
    return message.properties


def _context(message: Message) -> dict[str, Any]:
    """Where and how it happened; only what is known."""
    page = message.page
    found: dict[str, Any] = {"referrer": page.referrer} if page.referrer else {}
    if page.title:
        found["title"] = page.title
    if message.campaign:
        found["campaign"] = dict(message.campaign)
    if message.group_id and message.type is not MessageType.GROUP:
        found["group_id"] = message.group_id
    if message.locale:
        found["locale"] = message.locale
    if message.network:
        found["network"] = message.network
    if message.flags:
        found["flags"] = sorted(message.flags)
    return found


def _project(changes: Changes, new: Iterable[UUID], *, now: datetime) -> None:
    """Compute anew what rests on events: sessions, touchpoints, what is known of persons."""
    sessions.refresh(changes=changes, now=now)
    telling = {*new, *changes.tell}
    traits.tell(event_ids=telling, now=now)
    traits.retell(person_ids=changes.people, now=now)
    employments.hear(event_ids=telling, changed=changes.people, now=now)


def _mails(batch: _Batch) -> list[UUID]:
    """What happened with mails: deliveries, opens, clicks."""
    return [
        m.id for m in batch.messages if m.type is MessageType.TRACK and m.name.lower().startswith("email ")
    ]


def _identified(batch: _Batch) -> Iterable[Identified]:
    """Who was named by an address that is theirs."""
    for message in batch.messages:
        name, person = batch.names[message.id], batch.person_named(message)
        if name.email is not None and person is not None and batch.person_of[name.email] == person:
            yield Identified(person, message.source_id, message.occurred_at)


def _tell(changes: Changes, *, now: datetime) -> None:
    if changes.joined:
        events.publish(EventsJoined(tuple(changes.joined), now))
    if changes.people:
        events.publish(HistoriesChanged(tuple(sorted(changes.people)), now))
