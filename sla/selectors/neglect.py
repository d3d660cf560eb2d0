"""What a manager looks at in the morning: who should act today, who has too much, what leaks away.

Leakage is what was delivered and never touched by anybody of sales, with the money that leads of its
cell brought on average before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, F, Min, Q, QuerySet

from funnel.models import Handoff, HandoffState
from funnel.selectors.returns import RETURNED
from sla.domain.ladders import LADDER
from sla.models import Clock, ClockEvent
from sla.selectors import commitments, deliveries
from smarketing.core.periods import Period

# A lead is taken for leaked once nobody has tried for so long.
LEAKS_AFTER = timedelta(days=2)
MOST = 20
STEPS = tuple(LADDER)


@dataclass(frozen=True, slots=True)
class Debt:
    """One rep's broken promises that are still open: the list nobody wants to be on."""

    owner_id: int
    name: str
    overdue: int
    by_kind: dict[str, int]
    oldest: datetime


@dataclass(frozen=True, slots=True)
class Leak:
    """Leads delivered in a period and never touched: how many of how many, and what they were worth.

    ``unknown`` of them stand in cells whose worth isn't known; they are in ``leads``, not in ``worth``.
    """

    leads: int
    delivered: int
    worth: float
    unknown: int


@dataclass(frozen=True, slots=True)
class Escalation:
    """A broken promise that is still open, and the furthest step of its ladder, reached at ``at``."""

    lead_id: int
    lead: str
    owner: str
    promise: str
    step: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """Handoffs outside every rep's hands."""

    unassigned: int
    held: int


def debts(*, now: datetime, limit: int = MOST) -> list[Debt]:
    """Reps with open broken promises of any kind, most first; the board that is generated, not written."""
    late = Clock.objects.open().filter(due_at__lt=now)
    rows = (
        late.values("owner_id", name=F("owner__name"))
        .annotate(overdue=Count("pk"), oldest=Min("due_at"))
        .order_by("-overdue", "oldest", "name")[:limit]
    )
    found = list(rows)
    kinds = (
        late.filter(owner__in=[row["owner_id"] for row in found])
        .values_list("owner_id", "kind")
        .annotate(Count("pk"))
        .order_by()
    )
    by_kind: dict[int, dict[str, int]] = {}
    for owner, kind, count in kinds:
        by_kind.setdefault(owner, {})[kind] = count
    return [
        Debt(row["owner_id"], row["name"], row["overdue"], by_kind.get(row["owner_id"], {}), row["oldest"])
        for row in found
    ]


def leaked(period: Period, *, now: datetime) -> QuerySet[Handoff]:
    """Handoffs delivered in the period, at least two days ago, that sales never touched."""
    found = Handoff.objects.filter(delivered_at__lte=now - LEAKS_AFTER).exclude(RETURNED)
    if period.start is not None:
        found = found.filter(delivered_at__gte=period.start)
    if period.end is not None:
        found = found.filter(delivered_at__lt=period.end)
    return found.exclude(deliveries.touched())


def leak(period: Period, *, now: datetime) -> Leak:
    """How many leads of the period leak away, and their money."""
    cells = dict(leaked(period, now=now).values_list("packet__scores__cell").annotate(Count("pk")).order_by())
    delivered = Handoff.objects.filter(delivered_at__isnull=False, delivered_at__lte=now - LEAKS_AFTER)
    if period.start is not None:
        delivered = delivered.filter(delivered_at__gte=period.start)
    if period.end is not None:
        delivered = delivered.filter(delivered_at__lt=period.end)
    worth, _unknown = commitments.worth_of_cells(before=period.start or now)
    return Leak(
        leads=sum(cells.values()),
        delivered=delivered.count(),
        worth=sum(count * worth[cell] for cell, count in cells.items() if cell in worth),
        unknown=sum(count for cell, count in cells.items() if cell not in worth),
    )


def escalated(*, now: datetime, limit: int = MOST) -> list[Escalation]:
    """Open broken promises that went up the ladder, each at its furthest step, the latest first."""
    found = (
        ClockEvent.objects.filter(
            clock__in=Clock.objects.open().filter(due_at__lt=now), kind__in=STEPS, voided_at=None
        )
        .order_by("clock_id", "-level")
        .distinct("clock_id")
    )
    latest = ClockEvent.objects.filter(pk__in=found.values("pk")).order_by("-due_at", "-pk")
    return [
        Escalation(
            lead_id=event.clock.handoff.lead_id,
            lead=event.clock.handoff.lead.person.name,
            owner=event.clock.owner.name,
            promise=event.clock.kind,
            step=event.kind,
            at=event.due_at,
        )
        for event in latest.select_related("clock__owner", "clock__handoff__lead__person")[:limit]
    ]


def waiting() -> Waiting:
    """Leads that wait for a rep who may take them, and those that the gate holds."""
    told = Handoff.objects.filter(
        state__in=[HandoffState.ASSEMBLING, HandoffState.GATE_FAILED], lead__closed_at=None
    ).aggregate(
        unassigned=Count("pk", filter=Q(state=HandoffState.ASSEMBLING)),
        held=Count("lead", distinct=True, filter=Q(state=HandoffState.GATE_FAILED)),
    )
    return Waiting(**told)


def speeds(*, period: Period, now: datetime) -> list[tuple[str, int]]:
    """How long leads of the period waited for the first attempt, by stretches; open ones counted apart.

    The last entry, "waiting", holds those that still wait: left out, the worst would look best.
    """
    found = Clock.objects.filter(kind="respond").exclude(state="cancelled")
    if period.start is not None:
        found = found.filter(started_at__gte=period.start)
    if period.end is not None:
        found = found.filter(started_at__lt=period.end)
    waited = found.annotate(waited=F("ended_at") - F("started_at"))
    answered = Q(state__in=["met", "breached_met_late"])
    edges = [("1h", 1), ("4h", 4), ("1d", 24), ("3d", 72)]
    told: dict[str, Count] = {}
    below = 0
    for name, hours in edges:
        inside = Q(waited__gte=timedelta(hours=below), waited__lt=timedelta(hours=hours))
        told[name] = Count("pk", filter=answered & inside)
        below = hours
    told["longer"] = Count("pk", filter=answered & Q(waited__gte=timedelta(hours=below)))
    told["waiting"] = Count("pk", filter=Q(ended_at=None))
    told["never"] = Count("pk", filter=Q(ended_at__isnull=False) & ~answered)
    counts = waited.aggregate(**{f"n_{name}": count for name, count in told.items()})
    return [(name, counts[f"n_{name}"]) for name in told]
