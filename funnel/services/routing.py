"""Who gets the next lead: the ring's turn, taken under the ring's lock, with the record of why."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q

from funnel.domain import rings as rules
from funnel.models import (
    Handoff,
    HandoffState,
    LeadState,
    Opportunity,
    OpportunityStageKind,
    Ring,
    RingMember,
)
from funnel.services import rings
from leads.models import Lead
from smarketing.core import locks
from smarketing.users.domain.roles import Role
from smarketing.users.models import User

# A lead in one of these stages is in its owner's hands and counts against the owner's cap.
IN_HAND = ("mql", "sql", "opportunity")
OWNING_ROLES = frozenset({Role.REP, Role.SALES_MANAGER})


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen owner (``None``: nobody is eligible, the lead waits) and the record of why."""

    owner: User | None
    record: dict[str, Any]


def choose(*, lead: Lead, now: datetime, exclude: Collection[int] = ()) -> Choice:
    """Choose the owner of ``lead`` and move the ring on, in the caller's transaction.

    Eligible is an active member who takes leads, is below the cap, has not returned this lead before
    and is not in ``exclude``. The lock on the ring makes shares exact under any concurrency (I-17);
    without members every choice is "nobody".
    """
    ring = Ring.objects.filter(is_default=True).first()
    if ring is None:
        return Choice(None, {"reason": "no_ring", "candidates": []})
    locks.advisory(locks.Namespace.RING, ring.pk)
    places = rings.places_of(ring=ring)
    members = _members(places, lead=lead, exclude=frozenset(exclude))
    choice = rules.choose(members, preferred=_owner_of_company(lead))
    record = {"ring": ring.pk, **choice.to_json()}
    rings.forget_turns(places=places, candidates=choice.candidates)
    if choice.member is None:
        return Choice(None, record)
    place = next(p for p in places if p.user_id == choice.member.key)
    RingMember.objects.filter(pk=place.pk).update(pointer=choice.member.next_pointer, last_assigned_at=now)
    return Choice(place.user, record)


def _members(places: list[RingMember], *, lead: Lead, exclude: frozenset[int]) -> list[rules.Member]:
    users = [place.user_id for place in places]
    in_hand = dict(
        LeadState.objects.filter(owner_id__in=users, stage__code__in=IN_HAND)
        .values_list("owner_id")
        .annotate(Count("pk"))
    )
    given_back = set(
        Handoff.objects.filter(
            Q(state__in=[HandoffState.RETURNED, HandoffState.UPHELD]), lead=lead, owner_id__in=users
        ).values_list("owner_id", flat=True)
    )
    return [
        rules.Member(
            key=place.user_id,
            order=order,
            weight=place.weight,
            pointer=place.pointer,
            facts=rules.Facts(
                active=place.user.is_active and place.user.role in OWNING_ROLES,
                absent=not place.is_active,
                open_leads=in_hand.get(place.user_id, 0),
                open_cap=place.open_cap,
                returned_this_lead=place.user_id in given_back,
                conflicted=place.user_id in exclude,
            ),
        )
        for order, place in enumerate(places)
    ]


def _owner_of_company(lead: Lead) -> int | None:
    """Whoever works an open deal with the lead's company gets its leads out of turn."""
    if lead.company_id is None:
        return None
    deals = Opportunity.objects.filter(
        company_id=lead.company_id, stage__kind=OpportunityStageKind.OPEN, owner__isnull=False
    )
    return deals.order_by("-stage_entered_at", "-pk").values_list("owner_id", flat=True).first()
