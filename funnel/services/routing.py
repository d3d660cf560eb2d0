"""Who gets the next lead: the rule's pool, the band's ring under the pool's lock, and the record of why.

A choice and what follows from it (pointer, tokens, handoff, clocks) are one transaction of the caller.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F

from funnel.domain import rings as rules
from funnel.domain.capacity import Bucket
from funnel.domain.fit import Facts
from funnel.models import (
    Handoff,
    Overflow,
    PoolMember,
    RoutingDecision,
    Turn,
)
from funnel.selectors import routing as reads
from funnel.selectors.routing import Place, Way
from funnel.services import pools
from leads.models import Lead
from smarketing.core.prepared import Insert
from smarketing.users.models import User

# The likelihood known at the choice, read where it is stored.
_DECISION = Insert(
    RoutingDecision,
    computed={"likelihood": "(SELECT value FROM funnel_likelihood WHERE lead_id = %(lead_id)s::bigint)"},
)


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen owner (``None``: nobody is eligible, the lead waits) and the record of why.

    ``overflow`` says what the pool does with a lead above the agreed ceiling; ``is_full`` that nobody of
    the pool could take any lead now.
    """

    owner: User | None
    record: dict[str, Any]
    way: Way | None = None
    weight: int = 1
    overflow: str = ""
    is_full: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be routed: a lead or only its company, and who can't get it.

    ``expected`` counts reps in who get their place with the next lead.
    """

    lead: Lead | None
    company_id: int | None
    exclude: frozenset[int] = frozenset()
    expected: bool = False


def choose(
    *,
    lead: Lead,
    now: datetime,
    exclude: Collection[int] = (),
    known: Facts | None = None,
    band: str | None = None,
) -> Choice:
    """Choose the owner of ``lead`` and move the band's ring on, in the caller's transaction.

    ``known`` are its facts and ``band`` its cell, where the caller has read them.

    Above the agreed ceiling the pool's rule may send the lead to a second pool. The lock of routing
    makes shares exact under any concurrency (I-17); without members every choice is "nobody".
    """
    way = reads.way_of(lead, known=known, band=band)
    if way is None:
        return Choice(None, {"reason": "no_pool", "candidates": []})
    pools.lock()
    asked = Asked(lead, lead.company_id, frozenset(exclude))
    choice = _choose(way, asked, now=now)
    if choice.overflow == Overflow.POOL and way.pool.overflow_pool is not None:
        second = Way(way.rule, way.pool.overflow_pool, way.band)
        found = _choose(second, asked, now=now)
        return Choice(
            found.owner,
            {**found.record, "overflow_of": way.pool.pk},
            second,
            found.weight,
            is_full=found.is_full,
        )
    return choice


def preview(
    *, lead: Lead, now: datetime, exclude: Collection[int] = (), known: Facts | None = None
) -> Choice:
    """Who would get ``lead`` now; nothing is written and nobody waits for a lock."""
    asked = Asked(lead, lead.company_id, frozenset(exclude), expected=True)
    return _previewed(reads.way_of(lead, known=known), asked, now=now)


def try_out(*, known: Facts, band: str, company_id: int | None, now: datetime) -> Choice:
    """Who would get a lead that is only described; nothing is written."""
    return _previewed(reads.way_for(known, band=band), Asked(None, company_id, expected=True), now=now)


def _previewed(way: Way | None, asked: Asked, *, now: datetime) -> Choice:
    if way is None:
        return Choice(None, {"reason": "no_pool", "candidates": []})
    found = _look(way, asked, now=now)[1]
    more = {}
    if _overflow(way, found) == Overflow.POOL and way.pool.overflow_pool is not None:
        more = {"overflow_of": way.pool.pk}
        way = Way(way.rule, way.pool.overflow_pool, way.band)
        found = _look(way, asked, now=now)[1]
    owner = reads.user(found.member.key) if found.member else None
    record = {**_record(way, found), **more}
    return Choice(owner, record, way, overflow=_overflow(way, found), is_full=found.is_full)


def keep(
    *, choice: Choice, lead: Lead, owner: User, handoff: Handoff | None, now: datetime
) -> RoutingDecision:
    """Keep why this owner: in the transaction that gave the lead away."""
    way = choice.way
    decision = RoutingDecision(
        lead=lead,
        handoff=handoff,
        owner=owner,
        pool=way.pool if way else None,
        rule_id=way.rule.key if way and way.rule else None,
        band=way.band if way else reads.band_of(lead),
        weight=choice.weight,
        reason=choice.record["reason"],
        candidates=choice.record.get("candidates", []),
        at=now,
    )
    _DECISION.add(decision)
    return decision


def credit(*, handoff_id: int, now: datetime) -> bool:
    """Give the turn and the token of a delivery back, once: the return of its lead stands."""
    return _settle(handoff_id, now=now, back=True)


def debit(*, handoff_id: int, now: datetime) -> bool:
    """Take a credit back: the return was overturned after all."""
    return _settle(handoff_id, now=now, back=False)


def _settle(handoff_id: int, *, now: datetime, back: bool) -> bool:
    last = RoutingDecision.objects.filter(handoff_id=handoff_id, pool__isnull=False).order_by("-pk").first()
    if last is None or last.pool_id is None:
        return False
    pools.lock()
    open_ones = RoutingDecision.objects.filter(pk=last.pk, credited_at__isnull=back)
    if not open_ones.update(credited_at=now if back else None):
        return False
    member = PoolMember.objects.filter(pool_id=last.pool_id, user_id=last.owner_id).first()
    if member is None:
        return True
    step = rules.STRIDE // last.weight
    Turn.objects.filter(member=member, band=last.band).update(
        pointer=F("pointer") - step if back else F("pointer") + step
    )
    bucket = Bucket(member.capacity, member.tokens, member.tokens_at).at(now)
    pools.fill(member_id=member.pk, bucket=bucket.refund() if back else bucket.spend())
    return True


def _choose(way: Way, asked: Asked, *, now: datetime) -> Choice:
    pools.join_everybody(pool=way.pool)
    places, choice = _look(way, asked, now=now)
    turns = _enter_ring(way, places)
    _catch_up(way, places, turns, choice)
    if choice.member is None:
        return Choice(
            None, _record(way, choice), way, overflow=_overflow(way, choice), is_full=choice.is_full
        )
    place = next(p for p in places if p.user_id == choice.member.key)
    pools.take_turn(
        member_id=place.id,
        turn_id=turns[place.id],
        pointer=choice.member.next_pointer,
        bucket=place.bucket.spend(),
        now=now,
    )
    return Choice(reads.user(place.user_id), _record(way, choice), way, place.member.weight)


def _look(way: Way, asked: Asked, *, now: datetime) -> tuple[list[Place], rules.Choice]:
    """The members, their missed turns caught up, and whose turn it is."""
    places = reads.places(way, lead=asked.lead, now=now, exclude=asked.exclude, expected=asked.expected)
    preferred = reads.owner_of_company(asked.company_id) if way.pool.company_owner_first else None
    members = [place.member for place in places]
    return places, rules.choose(members, rotation=reads.rotation(way), preferred=preferred)


def _enter_ring(way: Way, places: Sequence[Place]) -> dict[int, int]:
    """The turns of the members by their place; whoever is new to the ring starts at the least pointer."""
    new = [p for p in places if p.turn_id is None]
    fresh = (
        Turn.objects.bulk_create(Turn(member_id=p.id, band=way.band, pointer=p.member.pointer) for p in new)
        if new
        else []
    )
    return {p.id: p.turn_id for p in places if p.turn_id is not None} | {t.member_id: t.pk for t in fresh}


def _catch_up(way: Way, places: Sequence[Place], turns: dict[int, int], choice: rules.Choice) -> None:
    """Turns missed while away are kept or gone, as the pool says."""
    moved = rules.caught_up(
        [p.member for p in places],
        way.pool.return_policy,
        owed_at_most=way.pool.owed_at_most,
        chosen=choice.member.key if choice.member else None,
    )
    if moved:
        Turn.objects.bulk_update(
            [Turn(pk=turns[p.id], pointer=moved[p.user_id]) for p in places if p.user_id in moved],
            ["pointer"],
        )


def _overflow(way: Way, choice: rules.Choice) -> str:
    return way.pool.overflow if choice.is_overflow else ""


def _record(way: Way, choice: rules.Choice) -> dict[str, Any]:
    return {
        "pool": way.pool.pk,
        "pool_name": way.pool.name,
        "rule": way.rule.key if way.rule else None,
        "rule_name": way.rule.name if way.rule else "",
        "band": way.band,
        **choice.to_json(),
    }
