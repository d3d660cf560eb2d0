"""How long clocks were held, by whom and why, and how much longer one may be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Prefetch

from sla.models import Clock, ClockAction
from sla.selectors import agreements
from sla.selectors.clock_rows import calendar_of, pauses
from smarketing.core.periods import Period

ZERO = timedelta(0)


@dataclass(frozen=True, slots=True)
class Pauser:
    """One colleague's pauses in a period: how many, on how many clocks, and the open time they held up."""

    name: str
    pauses: int
    clocks: int
    held: timedelta
    reasons: list[str]


def left_to(clock: Clock, *, at: datetime) -> timedelta:
    """How much open time the clause still grants for pauses of this lead, over all cycles of its clocks."""
    allowed = timedelta(hours=agreements.spec_of(clock.clause).term("pause_hours"))
    siblings = (
        Clock.objects.filter(handoff__lead=clock.handoff.lead_id, clause=clock.clause_id)
        .select_related("calendar_version")
        .prefetch_related(Prefetch("actions", ClockAction.objects.order_by("pk")))
    )
    return max(ZERO, allowed - sum((held(other, other.actions.all(), until=at) for other in siblings), ZERO))


def held(clock: Clock, actions: Iterable[ClockAction], *, until: datetime) -> timedelta:
    """The open time that the pauses of a clock took up to ``until``."""
    calendar = calendar_of(clock.calendar_version)
    spans = [(a, min(b or until, until)) for a, b in pauses(actions)]
    return sum((calendar.between(a, b) for a, b in spans if a < b), ZERO)


def by_person(*, period: Period, now: datetime, limit: int = 20) -> list[Pauser]:
    """Who paused clocks in the period, most held time first."""
    paused = ClockAction.objects.filter(verb="pause")
    if period.start is not None:
        paused = paused.filter(at__gte=period.start)
    if period.end is not None:
        paused = paused.filter(at__lt=period.end)
    found = list(paused.select_related("actor").order_by("-pk")[:5000])
    clocks = (
        Clock.objects.filter(pk__in={action.clock_id for action in found})
        .select_related("calendar_version")
        .prefetch_related(Prefetch("actions", ClockAction.objects.order_by("pk")))
        .in_bulk()
    )
    people: dict[str, list[ClockAction]] = {}
    for action in found:
        people.setdefault(action.actor.name if action.actor else "–", []).append(action)
    told = [
        Pauser(
            name=name,
            pauses=len(actions),
            clocks=len({action.clock_id for action in actions}),
            held=sum((_span(clocks[a.clock_id], a, now) for a in actions), ZERO),
            reasons=list(dict.fromkeys(action.reason for action in actions))[:3],
        )
        for name, actions in people.items()
    ]
    return sorted(told, key=lambda pauser: (-pauser.held, pauser.name))[:limit]


def _span(clock: Clock, pause: ClockAction, now: datetime) -> timedelta:
    """The open time that one pause took."""
    spans = [(a, b or now) for a, b in pauses(clock.actions.all()) if a == pause.at]
    calendar = calendar_of(clock.calendar_version)
    return sum((calendar.between(a, b) for a, b in spans[:1]), ZERO)
