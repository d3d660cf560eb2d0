"""The leads behind each number of a commitment: one queryset per metric and cell.

Counting a cell and opening it use the same queryset, so that no page can show another number than the
list behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from funnel.models import (
    Handoff,
    HandoffState,
    Opportunity,
    OpportunityStageKind,
    StageTransition,
)
from funnel.selectors.returns import REJECTED, RETURNED
from leads.models import Activity, Direction
from sla.domain import metrics
from sla.domain.clauses import ClauseSpec
from sla.models import Clause, Clock, ClockState
from sla.selectors import attainment
from sla.selectors.depth import CHANNELS, MARKETING
from sla.selectors.promised import KIND_OF
from smarketing.core.periods import Period
from smarketing.users.models import User

OUTCOME_STAGES = ("sql", "opportunity", "customer", "lost", "disqualified", "recycled")
Handoffs = QuerySet[Handoff]
Cells = Mapping[str, Handoffs]


def cells(spec: ClauseSpec, period: Period, *, now: datetime, owner: User | None = None) -> Cells:
    """The handoffs behind every number of this promise in the period, by the name of the number."""
    if spec.metric in metrics.CLOCKS:
        return _clock_cells(spec, period, now, owner)
    return _CELLS[spec.metric](spec, period, now, owner)


def delivered(spec: ClauseSpec, period: Period, *, owner: User | None = None) -> QuerySet[Handoff]:
    """The handoffs delivered in the period that the promise covers."""
    found = Handoff.objects.filter(delivered_at__isnull=False)
    if period.start is not None:
        found = found.filter(delivered_at__gte=period.start)
    if period.end is not None:
        found = found.filter(delivered_at__lt=period.end)
    if owner is not None:
        found = found.filter(owner=owner)
    if spec.bands:
        found = found.filter(packet__scores__cell__in=spec.bands)
    if spec.team is not None:
        found = found.filter(owner__memberships__team=spec.team)
    return found


def clocks(spec: ClauseSpec, period: Period, *, owner: User | None = None) -> QuerySet[Clock]:
    """The clocks of this promise, under whichever version they began, whose deadline is in the period."""
    clauses = Clause.objects.filter(metric=spec.metric, population=spec.population)
    found = Clock.objects.filter(kind=KIND_OF[spec.metric], clause__in=clauses).exclude(
        state=ClockState.CANCELLED
    )
    if owner is not None:
        found = found.filter(owner=owner)
    if period.start is not None:
        found = found.filter(due_at__gte=period.start)
    if period.end is not None:
        found = found.filter(due_at__lt=period.end)
    return found


def counts_of_clocks(
    spec: ClauseSpec, period: Period, *, now: datetime, owner: User | None = None
) -> dict[str, int]:
    """Met, late, missed and running deadlines of the promise in the period, in one query."""
    conditions = attainment.conditions(now=now)
    told = {name: Count("pk", filter=condition) for name, condition in conditions.items()}
    return clocks(spec, period, owner=owner).aggregate(**told)


def attempts(period: Period, *, owner: User | None = None) -> QuerySet[Activity]:
    """What people of sales did in the period to reach somebody."""
    # Rep by rep, as the index of attempts has them.
    others = User.objects.get_queryset().exclude(role__in=MARKETING).values("pk")
    found = Activity.objects.filter(
        kind__in=CHANNELS, direction=Direction.OUTBOUND, is_automated=False, actor__in=others
    )
    if period.start is not None:
        found = found.filter(occurred_at__gte=period.start)
    if period.end is not None:
        found = found.filter(occurred_at__lt=period.end)
    return found.filter(actor=owner) if owner is not None else found


def matured(spec: ClauseSpec, period: Period) -> Period:
    """When leads were delivered whose time to become a customer ends in the period."""
    back = timedelta(days=spec.term("maturity_days"))
    return Period(
        start=None if period.start is None else period.start - back,
        end=None if period.end is None else period.end - back,
    )


def _clock_cells(spec: ClauseSpec, period: Period, now: datetime, owner: User | None) -> Cells:
    told = attainment.conditions(now=now)
    due = told["met"] | told["late"] | told["missed"]
    found = clocks(spec, period, owner=owner)
    handoffs = Handoff.objects.all()
    return {
        name: handoffs.filter(pk__in=found.filter(condition).values("handoff_id"))
        for name, condition in {**told, "due": due}.items()
    }


def _supply(spec: ClauseSpec, period: Period, now: datetime, owner: User | None) -> Cells:
    found = delivered(spec, period, owner=owner)
    return {"gross": found, "net": found.exclude(REJECTED), "rejected": found.filter(REJECTED)}


def _information(spec: ClauseSpec, period: Period, now: datetime, owner: User | None) -> Cells:
    found = delivered(spec, period, owner=owner)
    return {
        "due": found,
        "reached": found.filter(override_reason=""),
        "failed": found.exclude(override_reason=""),
    }


def _judged(
    spec: ClauseSpec, period: Period, now: datetime, owner: User | None, reached: Q | Exists
) -> dict[str, QuerySet[Handoff]]:
    """Leads old enough to be judged, by whether they reached it; younger ones are pending."""
    found = delivered(spec, period, owner=owner)
    until = now - timedelta(seconds=spec.grace_seconds)
    due = found.filter(delivered_at__lte=until)
    return {
        "due": due,
        "reached": due.filter(reached),
        "failed": due.exclude(reached),
        "pending": found.filter(delivered_at__gt=until),
    }


def _touched(spec: ClauseSpec, period: Period, now: datetime, owner: User | None) -> Cells:
    return _judged(spec, period, now, owner, touched())


def touched() -> Exists:
    """Whether a person of sales tried to reach the lead after its delivery."""
    tried = attempts(Period(None, None)).filter(
        Q(lead=OuterRef("lead")) | Q(lead=None),
        person=OuterRef("lead__person"),
        occurred_at__gte=OuterRef("delivered_at"),
    )
    return Exists(tried)


def _worked(spec: ClauseSpec, period: Period, now: datetime, owner: User | None) -> Cells:
    return _judged(spec, period, now, owner, worked())


def worked() -> Q:
    """Whether the promised depth was reached or what became of the lead is recorded."""
    deep = Clock.objects.filter(
        handoff=OuterRef("pk"), kind="depth", state__in=[ClockState.MET, ClockState.BREACHED_MET_LATE]
    )
    told = StageTransition.objects.filter(
        lead=OuterRef("lead"), to_stage__code__in=OUTCOME_STAGES, effective_at__gte=OuterRef("delivered_at")
    )
    return Q(Exists(deep)) | Q(Exists(told)) | RETURNED


def _acceptance(spec: ClauseSpec, period: Period, now: datetime, owner: User | None) -> Cells:
    found = delivered(spec, period, owner=owner)
    accepted = Q(state=HandoffState.ACCEPTED)
    return {
        "due": found.filter(accepted | RETURNED),
        "reached": found.filter(accepted),
        "failed": found.filter(RETURNED),
        "pending": found.filter(state=HandoffState.DELIVERED),
    }


def _close_rate(spec: ClauseSpec, period: Period, now: datetime, owner: User | None) -> Cells:
    back = timedelta(days=spec.term("maturity_days"))
    found = delivered(spec, matured(spec, period), owner=owner)
    ripe = found.filter(delivered_at__lte=now - back)
    won = Opportunity.objects.filter(
        lead=OuterRef("lead"),
        stage__kind=OpportunityStageKind.WON,
        closed_at__gte=OuterRef("delivered_at"),
        closed_at__lte=OuterRef("delivered_at") + back,
    )
    return {
        "due": ripe,
        "reached": ripe.filter(Exists(won)),
        "failed": ripe.exclude(Exists(won)),
        "pending": found.filter(delivered_at__gt=now - back),
    }


_CELLS: Mapping[str, Callable[[ClauseSpec, Period, datetime, Any], Cells]] = {
    metrics.SUPPLY_COUNT: _supply,
    metrics.SUPPLY_VALUE: _supply,
    metrics.MINIMUM_INFORMATION: _information,
    metrics.TOUCHED: _touched,
    metrics.WORKED: _worked,
    metrics.ACCEPTANCE: _acceptance,
    metrics.CLOSE_RATE: _close_rate,
}
