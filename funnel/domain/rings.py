"""Who gets the next lead: weighted stride scheduling with a record of why.

Each member has a pointer. The available member with the lowest pointer is chosen, and the pointer moves on
by ``STRIDE / weight``; ties go by the ring's fixed order, which starts at ``rotation``. Pointers are whole
numbers (STRIDE is divisible by every weight from 1 to 20), so ties are exact for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

STRIDE = 232_792_560  # the least common multiple of 1 to 20
MAX_WEIGHT = 20


# Whoever is away or full misses turns; what speaks against one lead only leaves the turn untouched.
AWAY = frozenset({"inactive", "absent", "out_of_hours", "open_cap", "capacity", "ceiling"})


class ReturnPolicy(StrEnum):
    """What happens to the turns missed while away (the agreement names one; reset is the default)."""

    RESET = "reset"  # missed turns are gone
    ACCRUE = "accrue"  # every missed turn is owed
    CAP = "cap"  # at most k turns are owed


@dataclass(frozen=True, slots=True)
class Facts:
    """What decides whether a member may get this lead now. A cap of None means no cap."""

    active: bool = True
    absent: bool = False
    in_hours: bool = True
    open_leads: int = 0
    open_cap: int | None = None
    out_of_capacity: bool = False
    at_ceiling: bool = False
    returned_this_lead: bool = False
    conflicted: bool = False
    missing_skills: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a ring; ``order`` is the place in the fixed order, ``key`` identifies the person."""

    key: Any
    order: int
    weight: int = 1
    pointer: int = 0
    facts: Facts = Facts()

    def __post_init__(self) -> None:
        if not 1 <= self.weight <= MAX_WEIGHT:
            raise ValueError(f"A weight is a whole number from 1 to {MAX_WEIGHT}.")

    @property
    def stride(self) -> int:
        """What one lead adds to the pointer."""
        return STRIDE // self.weight

    @property
    def next_pointer(self) -> int:
        """The pointer after one more lead."""
        return self.pointer + self.stride


@dataclass(frozen=True, slots=True)
class Candidate:
    """One line of the why-record: ``blocked`` lists the reasons why not; empty means eligible."""

    key: Any
    weight: int
    pointer: int
    blocked: tuple[str, ...]
    chosen: bool

    def to_json(self) -> dict[str, Any]:
        """The form kept with the assignment."""
        return {
            "key": self.key, "weight": self.weight, "pointer": self.pointer,
            "blocked": list(self.blocked), "chosen": self.chosen,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen member (None: nobody is eligible, hold the lead), and all candidates in ring order."""

    member: Member | None
    candidates: tuple[Candidate, ...]
    reason: str

    @property
    def is_full(self) -> bool:
        """Whether nobody could take any lead now, whatever it is like."""
        return self.member is None and all(set(c.blocked) & AWAY for c in self.candidates)

    @property
    def is_overflow(self) -> bool:
        """Whether nobody can take the lead, and the agreed ceiling is why for somebody."""
        return self.member is None and any(c.blocked == ("ceiling",) for c in self.candidates)

    def to_json(self) -> dict[str, Any]:
        """The why-record: every candidate with what spoke against it."""
        return {"reason": self.reason, "candidates": [candidate.to_json() for candidate in self.candidates]}


def blocked_by(facts: Facts) -> tuple[str, ...]:
    """Every reason why a member with these facts may not get the lead now, in a fixed order."""
    checks = (
        ("inactive", not facts.active),
        ("absent", facts.absent),
        ("out_of_hours", not facts.in_hours),
        ("open_cap", facts.open_cap is not None and facts.open_leads >= facts.open_cap),
        ("capacity", facts.out_of_capacity),
        ("ceiling", facts.at_ceiling),
        ("returned_before", facts.returned_this_lead),
        ("conflicted", facts.conflicted),
        ("skills", bool(facts.missing_skills)),
    )
    return tuple(code for code, applies in checks if applies)


def choose(members: Iterable[Member], *, rotation: int = 0, preferred: Any = None) -> Choice:
    """Choose the owner of the next lead.

    ``rotation`` is where the fixed order starts. ``preferred`` is the key of the company's owner, who
    gets the lead out of turn when eligible (the turn still counts). The caller stores
    ``choice.member.next_pointer`` in the same transaction.
    """
    ring = sorted(members, key=lambda member: member.order)
    blocked = [blocked_by(member.facts) for member in ring]
    eligible = [i for i, reasons in enumerate(blocked) if not reasons]
    chosen, reason = _pick(ring, eligible, rotation, preferred)
    candidates = tuple(
        Candidate(m.key, m.weight, m.pointer, blocked[i], chosen=i == chosen) for i, m in enumerate(ring)
    )
    return Choice(None if chosen is None else ring[chosen], candidates, reason)


def _pick(
    ring: Sequence[Member], eligible: list[int], rotation: int, preferred: Any
) -> tuple[int | None, str]:
    if not eligible:
        return None, "nobody_eligible"
    if preferred is not None:
        for i in eligible:
            if ring[i].key == preferred:
                return i, "company_owner"
    chosen = min(eligible, key=lambda i: (ring[i].pointer, (i - rotation) % len(ring)))
    ties = sum(1 for i in eligible if ring[i].pointer == ring[chosen].pointer)
    if len(eligible) == 1:
        return chosen, "only_eligible"
    return chosen, "tie_by_order" if ties > 1 else "lowest_share"


def pointer_on_return(
    policy: str, *, pointer: int, weight: int, active_pointers: Iterable[int], owed_at_most: int = 3
) -> int:
    """The pointer of a member who comes back (or joins), given those of the members at work.

    reset: max(own, least of the others). accrue: own. cap: at most ``owed_at_most`` turns behind.
    """
    least = min(active_pointers, default=pointer)
    kind = ReturnPolicy(policy)
    if kind is ReturnPolicy.ACCRUE:
        return pointer
    if kind is ReturnPolicy.CAP:
        return max(pointer, least - owed_at_most * (STRIDE // weight))
    return max(pointer, least)


def caught_up(
    ring: Iterable[Member], policy: str, *, owed_at_most: int = 3, chosen: Any = None
) -> dict[Any, int]:
    """New pointers, by key, of members who miss this turn because they are away or full.

    The policy is about absences; whoever was full, or out of hours, is owed nothing. Applied with every
    choice, so that nobody comes back to a burst that the pool did not choose. ``chosen`` is the key of
    who got the lead: with reset whoever missed that turn is not owed it.
    """
    members = list(ring)
    at_work = [
        m.next_pointer if m.key == chosen else m.pointer
        for m in members
        if not set(blocked_by(m.facts)) & AWAY
    ]
    moved = {}
    for member in members:
        away = set(blocked_by(member.facts)) & AWAY
        if not away:
            continue
        rule = policy if away == {"absent"} else ReturnPolicy.RESET
        pointer = pointer_on_return(
            rule,
            pointer=member.pointer,
            weight=member.weight,
            active_pointers=at_work,
            owed_at_most=owed_at_most,
        )
        if pointer != member.pointer:
            moved[member.key] = pointer
    return moved


def dry_run(members: Sequence[Member], leads: int, *, rotation: int = 0) -> list[Any]:
    """Keys in the order in which the next ``leads`` leads would be given; nobody's facts change."""
    ring = {member.key: member for member in members}
    order: list[Any] = []
    for _ in range(leads):
        choice = choose(ring.values(), rotation=rotation)
        if choice.member is None:
            break
        order.append(choice.member.key)
        m = choice.member
        ring[m.key] = Member(m.key, m.order, m.weight, m.next_pointer, m.facts)
    return order
