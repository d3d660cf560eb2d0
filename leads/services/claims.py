"""Keeping what tracking claimed about identifiers, each pair once with its earliest time."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from django.db import connection
from django.db.models import Q

from leads.domain.identity import EMAIL, Claim, Node
from leads.models import IdentityClaim

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:smarketing:identity-claim")
# A component beyond this many claims is no human's: somebody plays with the public key. What is known
# stays as it is, and further claims count for whom they name.
MAX_COMPONENT = 300
_UPSERT = """
INSERT INTO leads_identityclaim AS c (id, source_id, user_id, email, alias_of, at, event_id)
SELECT * FROM unnest(%s::uuid[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::timestamptz[],
                     %s::uuid[])
ON CONFLICT (id) DO UPDATE SET at = excluded.at, event_id = excluded.event_id
 WHERE (excluded.at, excluded.event_id) < (c.at, c.event_id)
RETURNING id
"""


@dataclass(slots=True)
class Component:
    """Claims that hang together, with what tracking itself has placed where."""

    claims: list[Claim] = field(default_factory=list)
    placed: set[tuple[Node, int]] = field(default_factory=set)
    is_whole: bool = True


def store(*, claims: Iterable[Claim]) -> set[Node]:
    """Keep these claims; return the identifiers of those that are new or earlier than what was known."""
    rows: dict[uuid.UUID, Claim] = {}
    for claim in sorted(claims, key=lambda c: (c.at, c.event_id)):
        rows.setdefault(_key(claim), claim)
    if not rows:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT, [list(column) for column in zip(*map(_columns, rows.items()), strict=True)])
        changed = [rows[uuid.UUID(str(key))] for (key,) in cursor.fetchall()]
    return {node for claim in changed for node in (claim.a, claim.b) if node is not None}


def connected(*, nodes: Collection[Node]) -> list[Component]:
    """The components that these identifiers belong to, each with all its claims."""
    found: list[Component] = []
    todo = set(nodes)
    while todo:
        component, seen = _component(next(iter(todo)))
        todo -= seen
        found.append(component)
    return found


def place(*, nodes: Iterable[tuple[Node, int]]) -> None:
    """Remember that tracking gave each identifier to that person."""
    for (kind, text), person_id in nodes:
        if kind == EMAIL:
            IdentityClaim.objects.filter(email=text).update(email_placed_on=person_id)
        else:
            IdentityClaim.objects.filter(source=kind, user_id=text).update(user_placed_on=person_id)


def _component(start: Node) -> tuple[Component, set[Node]]:
    component, seen, edge = Component(), {start}, {start}
    known: set[uuid.UUID] = set()
    while edge:
        rows = list(IdentityClaim.objects.filter(_mentions(edge)).exclude(pk__in=known)[: MAX_COMPONENT + 1])
        known.update(row.pk for row in rows)
        edge = set()
        for row in rows:
            claim = _claim(row)
            component.claims.append(claim)
            component.placed |= _placements(row)
            edge |= {node for node in (claim.a, claim.b) if node is not None} - seen
        seen |= edge
        if len(known) > MAX_COMPONENT:
            component.is_whole = False
            break
    return component, seen


def _mentions(nodes: Iterable[Node]) -> Q:
    wanted = Q(pk__in=())
    users: dict[int, list[str]] = {}
    emails: list[str] = []
    for kind, text in nodes:
        if kind == EMAIL:
            emails.append(text)
        else:
            users.setdefault(kind, []).append(text)
    if emails:
        wanted |= Q(email__in=emails)
    for source, ids in users.items():
        wanted |= Q(source=source, user_id__in=ids) | Q(source=source, alias_of__in=ids)
    return wanted


def _placements(row: IdentityClaim) -> set[tuple[Node, int]]:
    found: set[tuple[Node, int]] = set()
    if row.email and row.email_placed_on_id is not None:
        found.add(((EMAIL, row.email), row.email_placed_on_id))
    if row.user_id and row.source_id is not None and row.user_placed_on_id is not None:
        found.add(((row.source_id, row.user_id), row.user_placed_on_id))
    return found


def _claim(row: IdentityClaim) -> Claim:
    former = (row.source_id, row.user_id) if row.user_id and row.source_id is not None else None
    if row.alias_of and row.source_id is not None:
        return Claim(row.at, row.event_id, (row.source_id, row.alias_of), former)
    return Claim(row.at, row.event_id, (EMAIL, row.email), former)


def _key(claim: Claim) -> uuid.UUID:
    source, user_id, email, alias_of = _texts(claim)
    return uuid.uuid5(_NAMESPACE, f"{source or 0}\n{user_id}\n{email}\n{alias_of}")


def _texts(claim: Claim) -> tuple[int | None, str, str, str]:
    source, user_id = claim.a if claim.a is not None else (None, "")
    if claim.is_alias:
        return source, user_id, "", claim.b[1]
    return source, user_id, claim.b[1], ""


def _columns(row: tuple[uuid.UUID, Claim]) -> tuple[object, ...]:
    key, claim = row
    return (str(key), *_texts(claim), claim.at, str(claim.event_id))
