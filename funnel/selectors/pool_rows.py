"""Pools as the settings show them: who takes leads, with which share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from funnel.models import Absence, LeadState, Pool, PoolMember
from funnel.selectors import absences
from funnel.selectors.routing import IN_HAND
from smarketing.users.domain.roles import Role
from smarketing.users.models import User


@dataclass(frozen=True, slots=True)
class Place:
    """A colleague's place; ``member`` is ``None`` for one who gets it with the first lead."""

    user: User
    member: PoolMember | None
    share: float
    in_hand: int
    is_away: bool = False

    @property
    def weight(self) -> int:
        """How often this one's turn comes."""
        return self.member.weight if self.member else 1

    @property
    def takes_leads(self) -> bool:
        """Whether leads go there."""
        return self.member.is_active if self.member else True


@dataclass(frozen=True, slots=True)
class PoolRow:
    """A pool with its places."""

    pool: Pool
    places: list[Place]
    led_by: list[str]
    may_go: bool

    @property
    def is_everybody(self) -> bool:
        """Whether it holds every rep, so that nobody is added or taken out."""
        return self.pool.is_default and self.pool.team_id is None


def pools(*, now: datetime | None = None) -> list[PoolRow]:
    """Every pool, the default one first; a fixed number of queries whatever is in them.

    ``now`` tells who is away at the moment.
    """
    found = list(
        Pool.objects.select_related("overflow_pool")
        .prefetch_related("members__user", "rules", "overflows")
        .order_by("-is_default", "name")
    )
    away = set() if now is None else _away(now)
    reps = list(User.objects.active().filter(role=Role.REP))
    in_hand = dict(
        LeadState.objects.filter(owner__isnull=False, stage__counts_as__in=IN_HAND)
        .values_list("owner")
        .annotate(Count("pk"))
    )
    return [_row(pool, _places(pool, reps, in_hand, away)) for pool in found]


def _away(now: datetime) -> set[int]:
    running = absences.in_state(Absence.objects.all(), absences.RUNNING, now=now)
    return set(running.values_list("user_id", flat=True))


def _row(pool: Pool, places: list[Place]) -> PoolRow:
    in_use = [rule.name for rule in pool.rules.all() if rule.is_active]
    may_go = not (pool.is_default or pool.rules.all() or pool.overflows.all())
    return PoolRow(pool, places, in_use, may_go)


def _places(pool: Pool, reps: Sequence[User], in_hand: dict[int, int], away: set[int]) -> list[Place]:
    members = {member.user_id: member for member in pool.members.all()}
    people = {member.user_id: member.user for member in members.values()}
    if pool.is_default and pool.team_id is None:
        people.update({rep.pk: rep for rep in reps})
    working = {
        pk: members[pk].weight if pk in members else 1
        for pk, person in people.items()
        if person.is_active and (pk not in members or members[pk].is_active)
    }
    total = sum(working.values())
    return [
        Place(
            person,
            members.get(pk),
            working.get(pk, 0) / total if total else 0.0,
            in_hand.get(pk, 0),
            pk in away,
        )
        for pk, person in sorted(people.items(), key=lambda item: (item[1].name, item[0]))
    ]
