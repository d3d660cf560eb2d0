"""How every promise stands in a period: promised, due so far, delivered, pace, forecast, attainment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import Count, Sum
from django.db.models.functions import Coalesce

from funnel.models import Handoff, Opportunity, OpportunityStageKind
from sla.domain import commitments as rules
from sla.domain import metrics
from sla.domain.clauses import BANDS, ClauseSpec
from sla.domain.commitments import Standing
from sla.domain.metrics import METRICS
from sla.domain.working_days import share_passed
from sla.models import AgreementState, AgreementVersion, CalendarVersion, Clause
from sla.selectors import agreements, deliveries, meetings, prose
from sla.selectors.clock_rows import calendar_of
from smarketing.core import periods
from smarketing.core.periods import Period
from smarketing.core.prepared import Query, given
from smarketing.users.domain.roles import Role
from smarketing.users.models import User
from smarketing.users.selectors import organisation

# How far back the worth of a cell is learned from, and from how many leads at least.
WORTH_FROM = timedelta(days=365)
WORTH_LEAST = 10
SECOND = timedelta(seconds=1)
_CLAUSES_AT = Query(
    "clauses_at",
    lambda: (
        Clause.objects.filter(
            version=AgreementVersion.objects.filter(
                state__in=[AgreementState.IN_FORCE, AgreementState.RETIRED],
                in_force_from__lte=given("instant"),
            )
            .order_by("-number")
            .values("pk")[:1]
        )
        .select_related("calendar", "accountable", "backup")
        .order_by("position")
    ),
)
SPANS = {"week": periods.week_of, "month": periods.month_of, "quarter": periods.quarter_of}


@dataclass(frozen=True, slots=True)
class Line:
    """One promise in one period. ``owner_id`` says that only one rep's part is told."""

    clause: Clause
    spec: ClauseSpec
    sentence: str
    period: Period
    standing: Standing
    notes: tuple[str, ...] = ()
    owner_id: int | None = None

    @property
    def name(self) -> str:
        """The metric."""
        return prose.name(self.spec.metric)

    @property
    def unit(self) -> str:
        """In what the promise is counted: leads, money, persons; percent for shares."""
        return "percent" if self.standing.is_rate else METRICS[self.spec.metric].unit


def version_at(instant: datetime) -> AgreementVersion | None:
    """The version in force at an instant; before there was any, the first one."""
    told = agreements.versions().filter(state__in=[AgreementState.IN_FORCE, AgreementState.RETIRED])
    return told.filter(in_force_from__lte=instant).first() or told.order_by("number").first()


def clauses_at(instant: datetime) -> list[Clause]:
    """The promises in force at an instant, in their order; none before there was an agreement."""
    return _CLAUSES_AT.all(instant=instant)


def span_of(spec: ClauseSpec, instant: datetime, *, zone: ZoneInfo) -> Period:
    """The period of the clause that holds the instant; a promise about single leads is told by the month."""
    return SPANS[spec.period or "month"](instant.astimezone(zone).date(), zone=zone)


def lines(*, now: datetime, back: int = 0, owner: User | None = None) -> list[Line]:
    """Every promise in its present period, or in the one so many periods ``back``.

    Promises are those of the version in force now, or at the end of that month. ``owner`` narrows to one
    rep's part: what was delivered to them, and their own follow-up.
    """
    zone = organisation.zone()
    month = stepped("month", now, back, zone=zone)
    version = version_at(now if not back or month.end is None else month.end - SECOND)
    if version is None:
        return []
    told = []
    for clause in version.clauses.all():
        spec = agreements.spec_of(clause)
        period = stepped(spec.period or "month", now, back, zone=zone)
        told.append(line(clause, spec, period, now=now, owner=owner))
    return told


def stepped(span: str, now: datetime, back: int, *, zone: ZoneInfo) -> Period:
    """The week, month or quarter that holds ``now``, or one so many ``back``."""
    period = SPANS[span](now.astimezone(zone).date(), zone=zone)
    for _step in range(back):
        if period.start is None:
            break
        period = SPANS[span]((period.start - SECOND).astimezone(zone).date(), zone=zone)
    return period


def line(
    clause: Clause, spec: ClauseSpec, period: Period, *, now: datetime, owner: User | None = None
) -> Line:
    """One promise in a period."""
    notes: tuple[str, ...] = ()
    if spec.metric in metrics.CLOCKS:
        standing = _of_clocks(spec, period, now, owner)
    elif METRICS[spec.metric].kind == "rate":
        standing = _of_rate(spec, period, now, owner)
    else:
        standing, notes = _of_volume(clause, spec, period, now, owner)
    return Line(
        clause=clause,
        spec=spec,
        sentence=prose.sentence_of(spec),
        period=period,
        standing=standing,
        notes=notes,
        owner_id=None if owner is None else owner.pk,
    )


def takers(spec: ClauseSpec, owner: User | None = None) -> dict[int, str]:
    """The reps to each of whom the promise is made."""
    reps = User.objects.active().filter(role=Role.REP)
    if spec.team is not None:
        reps = reps.filter(memberships__team=spec.team)
    if owner is not None:
        reps = reps.filter(pk=owner.pk)
    return dict(reps.order_by("name", "pk").values_list("pk", "name"))


def by_taker(spec: ClauseSpec, period: Period, *, now: datetime) -> dict[int, float]:
    """What counts for each rep so far: leads net, their worth, or persons contacted."""
    return _amounts(spec, period, now, None)[1]


def _of_clocks(spec: ClauseSpec, period: Period, now: datetime, owner: User | None) -> Standing:
    from_deadlines = deliveries.counts_of_clocks(spec, period, now=now, owner=owner)
    met, late, missed = (from_deadlines[name] for name in ("met", "late", "missed"))
    return rules.rate(
        target=1.0, reached=met, judged=met + late + missed, pending=from_deadlines["running"], late=late
    )


def _of_rate(spec: ClauseSpec, period: Period, now: datetime, owner: User | None) -> Standing:
    cells = deliveries.cells(spec, period, now=now, owner=owner)
    return rules.rate(
        target=float(spec.target) / 100,
        reached=cells["reached"].count(),
        judged=cells["due"].count(),
        pending=cells["pending"].count() if "pending" in cells else 0,
    )


def _of_volume(
    clause: Clause, spec: ClauseSpec, period: Period, now: datetime, owner: User | None
) -> tuple[Standing, tuple[str, ...]]:
    gross, net, notes = _amounts(spec, period, now, owner)
    of_all = spec.metric == metrics.MEETINGS
    per_rep = not of_all and (spec.metric == metrics.CONTACTS or spec.term("per") == metrics.PER_REP)
    if per_rep:
        reps = takers(spec, owner)
        gross, net = ({pk: found.get(pk, 0.0) for pk in reps} for found in (gross, net))
        number = len(reps)
    else:
        gross, net, number = {0: sum(gross.values())}, {0: sum(net.values())}, 1
    # A rep has no part of their own in a promise to all together.
    target = float(spec.target) if per_rep or of_all or owner is None else 0.0
    # More persons than promised contacted by one rep don't stand for too few of another.
    ceiling = target if spec.metric == metrics.CONTACTS else spec.terms.get("ceiling")
    passed = _share_passed(clause, period, now)
    standing = rules.volume(
        target=target,
        gross=gross,
        net=net,
        takers=number,
        ceiling=None if ceiling is None else float(ceiling),
        share_passed=passed,
        is_whole=of_all,
    )
    return standing, notes


def _share_passed(clause: Clause, period: Period, now: datetime) -> float:
    if period.start is None or period.end is None:
        return 1.0
    if now >= period.end:
        return 1.0
    version = CalendarVersion.objects.filter(calendar=clause.calendar_id).order_by("-number").first()
    if version is None:
        return max(0.0, (now - period.start) / (period.end - period.start))
    return share_passed(calendar_of(version), period.start, period.end, now)


def _amounts(
    spec: ClauseSpec, period: Period, now: datetime, owner: User | None
) -> tuple[dict[int, float], dict[int, float], tuple[str, ...]]:
    """Gross and net by rep, and what must be said about them."""
    if spec.metric == metrics.CONTACTS:
        found = (
            deliveries.attempts(period, owner=owner)
            .values_list("actor_id")
            .annotate(Count("person_id", distinct=True))
            .order_by()
        )
        contacted = {pk: float(count) for pk, count in found if pk is not None}
        return contacted, contacted, ()
    if spec.metric == metrics.MEETINGS:
        met = {0: float(meetings.held(period).count())}
        return met, met, ()
    cells = deliveries.cells(spec, period, now=now, owner=owner)
    if spec.metric == metrics.SUPPLY_COUNT:
        return _per_owner(cells["gross"]), _per_owner(cells["net"]), ()
    worth, notes = worth_of_cells(before=period.start or now)
    return worth_per_owner(cells["gross"], worth), worth_per_owner(cells["net"], worth), notes


def _per_owner(handoffs: object) -> dict[int, float]:
    found = handoffs.values_list("owner_id").annotate(Count("pk", distinct=True)).order_by()  # type: ignore[attr-defined]
    return {pk: float(count) for pk, count in found if pk is not None}


def worth_per_owner(handoffs: object, worth: Mapping[str, float]) -> dict[int, float]:
    """What these handoffs are worth by owner, given what a lead of each cell is."""
    found = (
        handoffs.values_list("owner_id", "packet__scores__cell")  # type: ignore[attr-defined]
        .annotate(Count("pk", distinct=True))
        .order_by()
    )
    amounts: dict[int, float] = {}
    for owner, cell, count in found:
        amounts[owner] = amounts.get(owner, 0.0) + count * worth.get(cell or "", 0.0)
    return amounts


def worth_of_cells(*, before: datetime) -> tuple[dict[str, float], tuple[str, ...]]:
    """What a delivered lead of each cell brought on average in the year before, in our currency.

    Cells with fewer than ten leads have no estimate and are named; deals in other currencies don't count.
    """
    year = Handoff.objects.filter(delivered_at__gte=before - WORTH_FROM, delivered_at__lt=before)
    counts = dict(year.values_list("packet__scores__cell").annotate(Count("pk")).order_by())
    won = (
        Opportunity.objects.filter(
            stage__kind=OpportunityStageKind.WON,
            closed_at__lt=before,
            currency=organisation.current().currency,
            lead__handoffs__in=year,
        )
        .values_list("lead__handoffs__packet__scores__cell")
        .annotate(brought=Coalesce(Sum("amount"), Decimal(0)))
        .order_by()
    )
    revenue = {cell: float(amount) for cell, amount in won}
    worth = {
        cell: revenue.get(cell, 0.0) / count
        for cell, count in counts.items()
        if cell and count >= WORTH_LEAST
    }
    unknown = tuple(cell for cell in BANDS if cell not in worth and counts.get(cell))
    return worth, unknown
