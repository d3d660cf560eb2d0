"""Pools: who shares leads, with which share and limits, and what becomes of turns missed while away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from funnel.domain import capacity as buckets
from funnel.domain import rings as rules
from funnel.domain.capacity import Bucket
from funnel.models import Overflow, Pool, PoolMember, RoutingRule
from funnel.selectors import routing as reads
from funnel.services import owners
from smarketing.core import locks
from smarketing.core.changes import changed
from smarketing.core.errors import Conflict, Denied, FieldError, Invalid, Stale
from smarketing.core.prepared import Statement
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User

# A turn taken: the pointer of the band's ring, the member's bucket, and when they were given a lead.
_TAKE = Statement(
    "pool_turn_taken",
    """
WITH turn AS (
  UPDATE funnel_turn SET pointer = %(pointer)s::bigint WHERE id = %(turn)s::bigint
)
UPDATE funnel_poolmember
   SET tokens = coalesce(%(tokens)s::bigint, tokens), last_assigned_at = %(now)s::timestamptz,
       tokens_at = CASE WHEN %(tokens)s::bigint IS NULL THEN tokens_at ELSE %(tokens_at)s::timestamptz END
 WHERE id = %(member)s::bigint
""",
)
MAX_SKILLS = 30
MAX_SKILL = 40
MAX_HOLD_MINUTES = 30 * 24 * 60
MAX_OWED = 100
FIELDS = (
    "name", "company_owner_first", "keeps_hours", "return_policy", "owed_at_most", "hold_minutes",
    "overflow", "overflow_pool",
)  # fmt: skip


class RoutingNotAllowed(Denied):
    """Rules, pools and their members are set up by whoever may change owners."""

    code = "routing_not_allowed"


class BadPlace(Invalid):
    """A weight is a whole number from 1 to 20, a limit one from 1 on, a skill a short word."""

    code = "bad_place"


class BadPool(Invalid):
    """A pool has a name of its own, and one that overflows into another says which."""

    code = "bad_pool"


class PoolChanged(Stale):
    """Somebody else changed the pool since it was read."""


class PoolInUse(Conflict):
    """Rules or other pools lead to it, or it is the default one."""

    code = "pool_in_use"


@transaction.atomic
def create(*, name: str, actor: User, now: datetime, **more: Any) -> Pool:
    """A new pool without members. Raises :class:`RoutingNotAllowed`, :class:`BadPool`."""
    check_may(actor=actor)
    pool = Pool(created_at=now, updated_at=now)
    _set(pool, {"name": name, **more})
    pool.save(force_insert=True)
    changed(actor=actor, action="pool_created", obj=pool, before={}, after=_pool_json(pool), now=now)
    return pool


@transaction.atomic
def update(
    *, pool: Pool, changes: Mapping[str, Any], actor: User, now: datetime, expected_version: int | None = None
) -> Pool:
    """Change a pool. Raises :class:`RoutingNotAllowed`, :class:`BadPool`, :class:`PoolChanged`."""
    check_may(actor=actor)
    (pool,) = locks.rows(Pool.objects.all(), [pool.pk])
    if expected_version is not None and pool.version != expected_version:
        raise PoolChanged(_("Somebody else changed this pool first. Look at it again."))
    before = _pool_json(pool)
    _set(pool, changes)
    pool.version, pool.updated_at = pool.version + 1, now
    pool.save(update_fields=[*FIELDS, "version", "updated_at"])
    changed(actor=actor, action="pool_changed", obj=pool, before=before, after=_pool_json(pool), now=now)
    return pool


@transaction.atomic
def remove(*, pool: Pool, actor: User, now: datetime) -> None:
    """Delete a pool that nothing leads to; its past decisions stay. Raises :class:`PoolInUse`.

    Whoever makes a rule for it at the same moment is waited for.
    """
    check_may(actor=actor)
    (pool,) = locks.rows(Pool.objects.all(), [pool.pk])
    in_use = (
        RoutingRule.objects.filter(pool=pool).exists() or Pool.objects.filter(overflow_pool=pool).exists()
    )
    if pool.is_default or in_use:
        raise PoolInUse(_("Rules or another pool lead here, or it is the pool of all other leads."))
    changed(actor=actor, action="pool_removed", obj=pool, before=_pool_json(pool), after={}, now=now)
    pool.delete()


@transaction.atomic
def set_place(
    *,
    pool: Pool,
    user: User,
    weight: int = 1,
    takes_leads: bool = True,
    open_cap: int | None = None,
    capacity: int | None = None,
    skills: Sequence[str] = (),
    actor: User | None,
    now: datetime,
) -> PoolMember:
    """Give ``user`` a place in ``pool`` or change it, under the lock of routing.

    A newcomer starts at the least pointer of the others in each ring; what was saved up of a capacity
    stays. Raises :class:`RoutingNotAllowed`, :class:`BadPlace`, ``NotAnOwner``.
    """
    check_may(actor=actor)
    _check_place(weight, open_cap, capacity)
    known = clean_skills(skills=skills)
    owners.check(owner=user)
    lock()
    place = PoolMember.objects.filter(pool=pool, user=user).first()
    before = _as_json(place)
    if place is None:
        place = PoolMember(pool=pool, user=user)
    bucket = Bucket(place.capacity, place.tokens, place.tokens_at).at(now)
    place.weight, place.is_active, place.open_cap, place.skills = weight, takes_leads, open_cap, known
    if capacity != place.capacity:
        kept = Bucket(capacity, bucket.tokens, bucket.filled_at if place.capacity else None).at(now)
        place.capacity, place.tokens, place.tokens_at = capacity, kept.tokens, kept.filled_at
    if place._state.adding:
        place.save(force_insert=True)
    else:
        place.save(
            update_fields=["weight", "is_active", "open_cap", "skills", "capacity", "tokens", "tokens_at"]
        )
    changed(actor=actor, action="place_changed", obj=pool, before=before, after=_as_json(place), now=now)
    return place


@transaction.atomic
def leave(*, pool: Pool, user: User, actor: User, now: datetime) -> None:
    """Take ``user`` out of a pool that does not hold everybody. Raises :class:`PoolInUse`."""
    check_may(actor=actor)
    if pool.is_default and pool.team_id is None:
        raise PoolInUse(_("Every rep is in this pool; let them take no leads instead."))
    lock()
    place = PoolMember.objects.filter(pool=pool, user=user).first()
    if place is not None:
        changed(actor=actor, action="place_changed", obj=pool, before=_as_json(place), after={}, now=now)
        place.delete()


@transaction.atomic
def welcome() -> None:
    """Reps who are new get their place in the pool of all reps, so that who waits can go to them."""
    pool = Pool.objects.filter(is_default=True, team=None).first()
    if pool is not None and reads.newcomers(pool):
        lock()
        join_everybody(pool=pool)


def join_everybody(*, pool: Pool) -> None:
    """A rep who has no place in the pool of all reps gets one; the caller holds the lock of routing."""
    fresh = reads.newcomers(pool)
    if fresh:
        PoolMember.objects.bulk_create(PoolMember(pool=pool, user=user) for user in fresh)


def fill(*, member_id: int, bucket: Bucket) -> None:
    """Store what is left in a member's bucket; under the lock of routing."""
    if bucket.capacity is not None:
        PoolMember.objects.filter(pk=member_id).update(tokens=bucket.tokens, tokens_at=bucket.filled_at)


def take_turn(*, member_id: int, turn_id: int, pointer: int, bucket: Bucket, now: datetime) -> None:
    """Move a member's pointer on and store what is left in the bucket; under the lock of routing."""
    has_limit = bucket.capacity is not None
    _TAKE.count(
        member=member_id,
        turn=turn_id,
        pointer=pointer,
        tokens=bucket.tokens if has_limit else None,
        tokens_at=bucket.filled_at if has_limit else None,
        now=now,
    )


def lock() -> None:
    """Wait until nobody else gives leads away or changes places, until the caller's transaction ends.

    One lock for all pools: a batch delivers leads to several, in the order of the leads, and a pool may
    overflow into another that overflows back, so locks of single pools would be taken in any order and wait
    in a circle. It also keeps an owner's limit on open leads exact over all pools.
    """
    locks.advisory(locks.Namespace.RING, 0)


def check_may(*, actor: User | None) -> None:
    """Raises :class:`RoutingNotAllowed`; without an actor it is the set-up of the installation."""
    if actor is not None and not actor.may(Capability.CHANGE_OWNER):
        raise RoutingNotAllowed(_("Your role may not change who takes leads."))


def clean_skills(*, skills: Sequence[str]) -> list[str]:
    """Skills in lower case, each once. Raises :class:`BadPlace`."""
    known = list(dict.fromkeys(skill.strip().casefold() for skill in skills if skill.strip()))
    if len(known) > MAX_SKILLS or any(len(skill) > MAX_SKILL or "\x00" in skill for skill in known):
        detail = _("Give at most %(most)s skills of at most %(long)s characters each.")
        detail = detail % {"most": MAX_SKILLS, "long": MAX_SKILL}
        raise BadPlace(detail, errors=[FieldError("skills", BadPlace.code, detail)])
    return known


def _check_place(weight: int, open_cap: int | None, capacity: int | None) -> None:
    errors = []
    if not 1 <= weight <= rules.MAX_WEIGHT:
        detail = _("Give a whole number from 1 to %(most)s.") % {"most": rules.MAX_WEIGHT}
        errors.append(FieldError("weight", BadPlace.code, detail))
    for name, value, most in (
        ("open_cap", open_cap, 2**31 - 1),
        ("capacity", capacity, buckets.MAX_CAPACITY),
    ):
        if value is not None and not 1 <= value <= most:
            detail = _("Give a whole number from 1 to %(most)s, or nothing for no limit.") % {"most": most}
            errors.append(FieldError(name, BadPlace.code, detail))
    if errors:
        raise BadPlace(errors[0].detail, errors=errors)


def _set(pool: Pool, changes: Mapping[str, Any]) -> None:
    """Set what was given, and check the whole."""
    for name, value in changes.items():
        if name not in FIELDS:
            raise TypeError(f"a pool has no field {name!r} to set")
        setattr(pool, name, value)
    pool.name = pool.name.strip()
    errors = []
    if not pool.name or len(pool.name) > 120 or "\x00" in pool.name:
        errors.append(FieldError("name", "required", _("Give the pool a name of at most 120 characters.")))
    elif Pool.objects.filter(name=pool.name).exclude(pk=pool.pk).exists():
        errors.append(FieldError("name", "taken", _("There is a pool of that name.")))
    if not 0 <= pool.owed_at_most <= MAX_OWED:
        detail = _("Give a whole number from 0 to %(most)s.") % {"most": MAX_OWED}
        errors.append(FieldError("owed_at_most", BadPool.code, detail))
    if not 1 <= pool.hold_minutes <= MAX_HOLD_MINUTES:
        detail = _("Give a whole number from 1 to %(most)s.") % {"most": MAX_HOLD_MINUTES}
        errors.append(FieldError("hold_minutes", BadPool.code, detail))
    if pool.overflow != Overflow.POOL:
        pool.overflow_pool = None
    elif pool.overflow_pool is None or pool.overflow_pool.pk == pool.pk:
        detail = _("Choose another pool that the overflow goes to.")
        errors.append(FieldError("overflow_pool", "required", detail))
    if errors:
        raise BadPool(errors[0].detail, errors=errors)


def _as_json(place: PoolMember | None) -> dict[str, object]:
    if place is None:
        return {}
    return {
        "user": place.user_id,
        "weight": place.weight,
        "takes_leads": place.is_active,
        "open_cap": place.open_cap,
        "capacity": place.capacity,
        "skills": place.skills,
    }


def _pool_json(pool: Pool) -> dict[str, object]:
    values = {name: getattr(pool, name) for name in FIELDS if name != "overflow_pool"}
    return {**values, "overflow_pool": pool.overflow_pool_id}
