"""What routing reads: rules in order, pools, and members of a pool with what speaks against each."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from django.db.models import Exists, OuterRef

from funnel.domain import rings, routes
from funnel.domain.capacity import Bucket
from funnel.domain.definitions import CELLS
from funnel.domain.fit import Facts
from funnel.models import (
    LeadScore,
    Pool,
    PoolMember,
)
from funnel.selectors import at_work
from funnel.selectors import facts as known_facts
from leads.models import Lead
from smarketing.core.prepared import Query, Statement, given
from smarketing.users.domain.roles import Role
from smarketing.users.models import User

# A lead in one of these stages is in its owner's hands and counts against the owner's cap.
IN_HAND = ("mql", "sql", "opportunity")
OWNING_ROLES = frozenset({Role.REP, Role.SALES_MANAGER})

# Counts and look-ups only for whom they can matter: a cap that is set, a lead that was returned.
_MEMBERS = Statement(
    "pool_members",
    """
SELECT m.id, m.user_id, m.weight, m.is_active, m.open_cap, m.capacity, m.tokens, m.tokens_at, m.skills,
       u.is_active, u.role, t.id, t.pointer,
       EXISTS (SELECT FROM funnel_absence a
                WHERE a.user_id = m.user_id AND a.starts_at <= %(now)s::timestamptz
                  AND (a.ends_at IS NULL OR a.ends_at > %(now)s::timestamptz)),
       CASE WHEN m.open_cap IS NULL THEN 0 ELSE
           (SELECT count(*) FROM funnel_leadstate s JOIN funnel_stage g ON g.id = s.stage_id
             WHERE s.owner_id = m.user_id AND g.counts_as = ANY(%(in_hand)s::text[])) END,
       m.user_id = ANY (g.owners)
  FROM (SELECT array(SELECT h.owner_id FROM funnel_handoff h
                      WHERE h.lead_id = %(lead)s::bigint
                        AND h.state IN ('returned', 'upheld', 'overturned')) AS owners) g
 CROSS JOIN funnel_poolmember m
  JOIN users_user u ON u.id = m.user_id
  LEFT JOIN funnel_turn t ON t.member_id = m.id AND t.band = %(band)s::text
 WHERE m.pool_id = %(pool)s::bigint
 ORDER BY m.id
""",
)


_RULES = Statement(
    "routing_rules",
    """
SELECT id, name, pool_id, conditions::text, skills FROM funnel_routingrule
 WHERE is_active ORDER BY position, id
""",
)
_POOL = Query("pool", lambda: Pool.objects.select_related("overflow_pool").filter(pk=given("pool")))
_DEFAULT_POOL = Query(
    "pool_default", lambda: Pool.objects.select_related("overflow_pool").filter(is_default=True)
)
_USER = Query("user_chosen", lambda: User.objects.get_queryset().filter(pk=given("user")).order_by())
_NEWCOMERS = Query(
    "pool_newcomers",
    lambda: (
        User.objects.active()
        .filter(role=Role.REP)
        .exclude(Exists(PoolMember.objects.filter(pool=given("pool"), user=OuterRef("pk"))))
        .order_by("pk")
    ),
)
# Whoever works an open deal with the company, the latest first.
_DEAL_OWNER = Statement(
    "owner_of_company",
    """
SELECT o.owner_id FROM funnel_opportunity o JOIN funnel_opportunitystage s ON s.id = o.stage_id
 WHERE o.company_id = %(company)s::bigint AND s.kind = 'open' AND o.owner_id IS NOT NULL
 ORDER BY o.stage_entered_at DESC, o.id DESC LIMIT 1
""",
)


@dataclass(frozen=True, slots=True)
class Place:
    """A member of a pool as one choice sees it; ``turn_id`` is None for who is new to the band's ring."""

    id: int
    user_id: int
    bucket: Bucket
    turn_id: int | None
    member: rings.Member


@dataclass(frozen=True, slots=True)
class Way:
    """Where a lead goes: the rule that says so (None: no rule holds), the pool, and its band."""

    rule: routes.Route | None
    pool: Pool
    band: str


def way_of(lead: Lead, *, known: Facts | None = None, band: str | None = None) -> Way | None:
    """The first rule's pool, or the default pool; None where there is no pool at all.

    ``known`` are the facts of the lead and ``band`` its cell, where the caller has them.
    """
    rules = active_rules()
    rule = None
    if rules:
        rule = routes.first(rules, known or known_facts.of_leads([lead.pk])[lead.pk])
    return _way(rule, band_of(lead) if band is None else band)


def way_for(known: Facts, *, band: str) -> Way | None:
    """The way of a lead that is only described, by its facts and its band."""
    return _way(routes.first(active_rules(), known), band)


def _way(rule: routes.Route | None, band: str) -> Way | None:
    found = _POOL.first(pool=rule.pool) if rule else _DEFAULT_POOL.first()
    return Way(rule, found, band) if found else None


def active_rules() -> list[routes.Route]:
    """The rules in use, in their order."""
    return [_route(pk, name, pool, text, tuple(skills)) for pk, name, pool, text, skills in _RULES.rows()]


@lru_cache(maxsize=256)
def _route(pk: int, name: str, pool: int, conditions: str, skills: tuple[str, ...]) -> routes.Route:
    """Rules change a few times a year and leads are routed all day; kept by everything a rule says."""
    return routes.of_row(
        {"pk": pk, "name": name, "pool_id": pool, "conditions": json.loads(conditions), "skills": skills}
    )


def band_of(lead: Lead) -> str:
    """The lead's cell of fit and interest, such as "A1"; empty for one without a score."""
    score = LeadScore.objects.filter(lead=lead).first()
    return str(score) if score else ""


def places(
    way: Way, *, lead: Lead | None, now: datetime, exclude: Collection[int] = (), expected: bool = False
) -> list[Place]:
    """The members of the way's pool in their fixed order, with what speaks against each at ``now``.

    Without a ``lead`` nobody has returned it. ``expected`` adds the reps who get their place with the
    next lead.
    """
    lead_id = 0 if lead is None else lead.pk
    rows = _MEMBERS.rows(now=now, in_hand=list(IN_HAND), lead=lead_id, band=way.band, pool=way.pool.pk)
    if expected:
        rows += [_new_row(user) for user in newcomers(way.pool)]
    users = [row[1] for row in rows]
    there = at_work.in_hours(users, now) if way.pool.keeps_hours else frozenset(users)
    above = at_work.at_ceiling(users, now, way.band) if way.pool.overflow else frozenset()
    least = min((row[12] for row in rows if row[12] is not None), default=0)
    needed = way.rule.skills if way.rule else ()
    found = []
    for order, row in enumerate(rows):
        bucket = Bucket(row[5], row[6], row[7]).at(now)
        facts = rings.Facts(
            active=row[9] and row[10] in OWNING_ROLES,
            absent=not row[3] or row[13],
            in_hours=row[1] in there,
            open_leads=row[14],
            open_cap=row[4],
            out_of_capacity=bucket.is_empty,
            at_ceiling=row[1] in above,
            returned_this_lead=row[15],
            conflicted=row[1] in exclude,
            missing_skills=routes.missing_skills(needed, row[8]),
        )
        pointer = least if row[12] is None else row[12]
        member = rings.Member(row[1], order, row[2], pointer, facts)
        found.append(Place(row[0], row[1], bucket, row[11], member))
    return found


def _new_row(user: User) -> tuple[object, ...]:
    """What a rep without a place will be in the pool of all reps."""
    return (0, user.pk, 1, True, None, None, 0, None, [], user.is_active, user.role, None, None, False, 0,
            False)  # fmt: skip


def rotation(way: Way) -> int:
    """Where the fixed order of the ring starts: elsewhere for each band, so that firsts are shared."""
    return way.pool.pk + (CELLS.index(way.band) if way.band in CELLS else 0)


def newcomers(pool: Pool) -> list[User]:
    """Active reps without a place in the pool of all reps: the default one without a team."""
    if not pool.is_default or pool.team_id is not None:
        return []
    return _NEWCOMERS.all(pool=pool.pk)


def user(user_id: int) -> User:
    """The colleague who was chosen."""
    found = _USER.first(user=user_id)
    if found is None:
        raise User.DoesNotExist
    return found


def owner_of_company(company_id: int | None) -> int | None:
    """Whoever works an open deal with the lead's company gets its leads out of turn."""
    if company_id is None:
        return None
    found = _DEAL_OWNER.rows(company=company_id)
    return found[0][0] if found else None


def place_of(pool: Pool, user: User) -> PoolMember | None:
    """The place of ``user`` in ``pool``."""
    return PoolMember.objects.filter(pool=pool, user=user).first()
