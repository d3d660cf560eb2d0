"""Rings: who takes turns, with which weight and cap, and what becomes of turns missed while away."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from funnel.domain import rings as rules
from funnel.domain.rings import Candidate, ReturnPolicy
from funnel.models import Ring, RingMember
from funnel.services import owners
from smarketing.core import locks
from smarketing.core.changes import changed
from smarketing.core.errors import Denied, FieldError, Invalid
from smarketing.users.domain.roles import Capability, Role
from smarketing.users.models import User

# Whoever is away or full misses turns; what speaks against one lead only leaves the turn untouched.
_AWAY = frozenset({"inactive", "absent", "out_of_hours", "open_cap", "period_cap"})


class RingNotAllowed(Denied):
    """Rings are set up by whoever may change owners."""

    code = "ring_not_allowed"


class BadPlace(Invalid):
    """A weight is a whole number from 1 to 20, a cap a whole number from 1 on."""

    code = "bad_place"


@transaction.atomic
def set_place(
    *,
    ring: Ring,
    user: User,
    weight: int = 1,
    takes_leads: bool = True,
    open_cap: int | None = None,
    actor: User | None,
    now: datetime,
) -> RingMember:
    """Give ``user`` a place in ``ring`` or change it, under the ring's lock.

    A newcomer starts at the least pointer of the others. Raises :class:`RingNotAllowed`,
    :class:`BadPlace`, ``NotAnOwner``.
    """
    if actor is not None and not actor.may(Capability.CHANGE_OWNER):
        raise RingNotAllowed(_("Your role may not change who takes leads."))
    if not 1 <= weight <= rules.MAX_WEIGHT:
        detail = _("Give a whole number from 1 to %(most)s.") % {"most": rules.MAX_WEIGHT}
        raise BadPlace(detail, errors=[FieldError("weight", BadPlace.code, detail)])
    if open_cap is not None and open_cap < 1:
        detail = _("Give a whole number from 1 on, or nothing for no limit.")
        raise BadPlace(detail, errors=[FieldError("open_cap", BadPlace.code, detail)])
    owners.check(owner=user)
    locks.advisory(locks.Namespace.RING, ring.pk)
    place = RingMember.objects.filter(ring=ring, user=user).first()
    before = _as_json(place)
    if place is None:
        place = _join(ring, [user])[0]
    place.weight, place.is_active, place.open_cap = weight, takes_leads, open_cap
    place.save(update_fields=["weight", "is_active", "open_cap"])
    changed(actor=actor, action="ring_changed", obj=ring, before=before, after=_as_json(place), now=now)
    return place


def places_of(*, ring: Ring) -> list[RingMember]:
    """The places of ``ring`` in their fixed order; the caller holds the ring's lock.

    The default ring without a team holds every active rep: one who has none yet gets a place.
    """
    if ring.is_default and ring.team_id is None:
        newcomers = User.objects.active().filter(role=Role.REP).exclude(ring_places__ring=ring)
        _join(ring, list(newcomers.order_by("pk")))
    return list(ring.members.select_related("user").order_by("pk"))


def forget_turns(*, places: Sequence[RingMember], candidates: Sequence[Candidate]) -> None:
    """Turns missed while away are gone (policy "reset"): nobody comes back to a burst of leads."""
    blocked = {candidate.key: frozenset(candidate.blocked) for candidate in candidates}
    at_work = [place.pointer for place in places if not blocked[place.user_id] & _AWAY]
    moved = []
    for place in places:
        if not blocked[place.user_id] & _AWAY:
            continue
        pointer = rules.pointer_on_return(
            ReturnPolicy.RESET, pointer=place.pointer, weight=place.weight, active_pointers=at_work
        )
        if pointer != place.pointer:
            place.pointer = pointer
            moved.append(place)
    RingMember.objects.bulk_update(moved, ["pointer"])


def _join(ring: Ring, users: Sequence[User]) -> list[RingMember]:
    if not users:
        return []
    least = min(ring.members.values_list("pointer", flat=True), default=0)
    return RingMember.objects.bulk_create(RingMember(ring=ring, user=u, pointer=least) for u in users)


def _as_json(place: RingMember | None) -> dict[str, object]:
    if place is None:
        return {}
    return {
        "user": place.user_id,
        "weight": place.weight,
        "takes_leads": place.is_active,
        "open_cap": place.open_cap,
    }
