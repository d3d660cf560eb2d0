"""What a changed pool would have done with the leads that it gave away: members, past leads, both results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from funnel.domain import fairness, rehearsal
from funnel.domain.rehearsal import Outcome, Part, PastLead, Rules, Seat
from funnel.models import Absence, Pool, PoolMember, RoutingDecision
from funnel.selectors import decisions, routing
from smarketing.core.periods import Period
from smarketing.users.models import User

# A rehearsal of more leads takes too long for a page; the first of the period are taken.
MOST_LEADS = 20_000
# What spoke against a candidate for the lead's own sake, and stays true in the rehearsal.
FOR_ITS_SAKE = frozenset({"returned_before", "conflicted", "skills"})


@dataclass(frozen=True, slots=True)
class Changed:
    """A member as they are to be. A weight of 0 takes them out."""

    weight: int
    capacity: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One owner: what they were given, and what they would have been."""

    owner: User
    was: Part
    would: Part

    @property
    def difference(self) -> int:
        """How many leads more."""
        return self.would.count - self.was.count


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Both results side by side. ``leads`` were given away in the period."""

    pool: Pool
    period: Period
    lines: list[Line]
    leads: int
    outcome: Outcome
    jain_was: float | None
    jain_would: float | None

    @property
    def is_valued(self) -> bool:
        """Whether the likelihood of any of the leads was known."""
        return any(line.was.value or line.would.value for line in self.lines)

    @property
    def note(self) -> str:
        """What the index was, measured by the new weights."""
        return _("1 is alike; as it was: %(index)s") % {
            "index": f"{self.jain_was:.3f}" if self.jain_was else "–"
        }


def present(pool: Pool) -> dict[int, Changed]:
    """The pool as it is: whoever takes leads, and reps who get their place with the next one."""
    places = PoolMember.objects.filter(pool=pool, is_active=True, user__is_active=True)
    found = {place.user_id: Changed(place.weight, place.capacity) for place in places.order_by("pk")}
    return found | {user.pk: Changed(1) for user in routing.newcomers(pool)}


def rehearse(pool: Pool, period: Period, changed: Mapping[int, Changed]) -> Rehearsal:
    """Give away again what the pool gave away in the ``period``, which has both ends."""
    start, end = period.start, period.end
    if start is None or end is None:
        raise ValueError("a rehearsal needs a period with both ends")
    made = list(decisions.of_period(start, end, pool=pool)[: MOST_LEADS + 1])[:MOST_LEADS]
    leads = [_past(row, pool, changed) for row in made]
    seats = _seats(pool, changed, end)
    rules = Rules(pool.return_policy, pool.owed_at_most, pool.pk)
    outcome = rehearsal.rehearse(seats, leads, rules=rules, until=end)
    was = rehearsal.as_it_was(leads, [seat.key for seat in seats])
    people = User.objects.in_bulk(was.keys() | outcome.parts.keys())
    lines = [
        Line(people[key], was.get(key, Part()), outcome.parts.get(key, Part()))
        for key in sorted(people, key=lambda key: (people[key].name, key))
    ]
    return Rehearsal(pool, period, lines, len(leads), outcome, _jain(seats, was), _jain(seats, outcome.parts))


def _past(row: RoutingDecision, pool: Pool, changed: Mapping[int, Changed]) -> PastLead:
    unfit = {c["key"] for c in row.candidates if FOR_ITS_SAKE & set(c["blocked"])}
    if pool.keeps_hours:
        unfit |= {c["key"] for c in row.candidates if "out_of_hours" in c["blocked"]}
    by_account = pool.company_owner_first and row.reason == "company_owner" and row.owner_id in changed
    return PastLead(
        at=row.at,
        band=row.band,
        owner=row.owner_id,
        unfit=frozenset(unfit),
        preferred=row.owner_id if by_account else None,
        value=row.likelihood or 0.0,
    )


def _seats(pool: Pool, changed: Mapping[int, Changed], until: datetime) -> list[Seat]:
    """The members in the fixed order of the ring: those who have a place by it, newcomers after them."""
    taken = [pk for pk, seat in changed.items() if seat.weight]
    places = PoolMember.objects.filter(pool=pool, user__in=taken).order_by("pk")
    order = list(places.values_list("user_id", flat=True))
    order += sorted(set(taken) - set(order))
    away: dict[int, list[tuple[datetime, datetime | None]]] = {}
    for absence in Absence.objects.filter(user__in=taken, starts_at__lt=until).order_by("starts_at"):
        away.setdefault(absence.user_id, []).append((absence.starts_at, absence.ends_at))
    return [Seat(pk, changed[pk].weight, changed[pk].capacity, tuple(away.get(pk, ()))) for pk in order]


def _jain(seats: Sequence[Seat], parts: Mapping[int, Part]) -> float | None:
    """Fairness in number, by weight."""
    return fairness.jain([parts[seat.key].count / seat.weight for seat in seats if seat.key in parts])
