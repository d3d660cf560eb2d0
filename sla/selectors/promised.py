"""What is promised for a lead delivered or returned now, by the agreement in force."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from sla.domain import metrics
from sla.domain.clauses import ClauseSpec
from sla.domain.working_days import business_day
from sla.models import AgreementState, CalendarVersion, Clause, ClockKind
from sla.selectors import agreements, clock_rows
from smarketing.users.models import User

KIND_OF = {
    metrics.FIRST_RESPONSE: ClockKind.RESPOND,
    metrics.DEPTH: ClockKind.DEPTH,
    metrics.OUTCOME: ClockKind.OUTCOME,
    metrics.RETURN_FEEDBACK: ClockKind.FEEDBACK,
}
# Clocks that a delivery starts; a return starts that of feedback.
ON_DELIVERY = (metrics.FIRST_RESPONSE, metrics.DEPTH, metrics.OUTCOME)


@dataclass(frozen=True, slots=True)
class TimePromise:
    """A clause with a deadline, with the calendar version that applies now and the promised open time."""

    clause: Clause
    spec: ClauseSpec
    calendar_version: CalendarVersion
    target: timedelta


def in_time(*, of: Collection[str], cell: str = "", teams: Collection[int] = ()) -> list[TimePromise]:
    """The clauses of these metrics that cover a lead of this cell ("A1"); empty without an agreement."""
    clauses = Clause.objects.filter(
        version__state=AgreementState.IN_FORCE, metric__in=list(of), calendar__isnull=False
    ).order_by("position")
    promised = []
    for clause in clauses:
        spec = agreements.spec_of(clause)
        if not spec.covers(cell, teams):
            continue
        version = CalendarVersion.objects.filter(calendar=clause.calendar_id).order_by("-number").first()
        if version is not None:
            promised.append(TimePromise(clause, spec, version, target_of(spec, version)))
    return promised


def target_of(spec: ClauseSpec, version: CalendarVersion) -> timedelta:
    """The open time that the clause grants by this calendar."""
    return spec.duration(business_day(clock_rows.calendar_of(version)))


def teams_of(owner: User) -> list[int]:
    """The teams whose promises hold for leads of this owner."""
    return list(owner.memberships.values_list("team_id", flat=True))
