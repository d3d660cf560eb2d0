"""How the promise of a first response is kept: met of due, response times, and what is open now.

A share always comes with its counts. What is due counts by its deadline, so that easy leads answered
early and hard ones still open stand in the same period; what is still open is said, never left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Count, Min, Q, QuerySet

from sla.models import Clock, ClockKind, ClockState
from sla.selectors.clocks import SOON
from smarketing.core import periods
from smarketing.core.periods import Period
from smarketing.core.prepared import Tally, given
from smarketing.users.models import User


@dataclass(frozen=True, slots=True)
class Attainment:
    """Of ``due`` promises whose deadline fell in the period, ``met`` were kept.

    ``late`` were kept after the deadline, ``missed`` not at all (yet). ``running`` deadlines of the
    period still lie ahead and are counted in neither.
    """

    met: int
    late: int
    missed: int
    running: int

    @property
    def due(self) -> int:
        """Promises that were due."""
        return self.met + self.late + self.missed

    @property
    def ratio(self) -> float | None:
        """Met ÷ due; None when nothing was due."""
        return self.met / self.due if self.due else None


@dataclass(frozen=True, slots=True)
class ResponseTimes:
    """How long leads delivered in the period waited for the first attempt.

    Leads that still wait enter with their age so far, those that never got an attempt as longer than
    all: each quantile is a lower bound that can't be improved by ignoring the worst. ``None`` stands
    for "longer than anybody has waited". ``median`` and ``p90`` count all time, the ``open_`` ones
    only business time.
    """

    answered: int
    waiting: int
    never: int
    oldest_waiting: timedelta | None
    median: timedelta | None
    p90: timedelta | None
    open_median: timedelta | None
    open_p90: timedelta | None

    @property
    def is_lower_bound(self) -> bool:
        """Whether some leads still wait, so that the quantiles can only grow."""
        return self.waiting > 0


@dataclass(frozen=True, slots=True)
class Live:
    """What is open at this moment."""

    open: int
    breached: int
    due_soon: int
    paused: int


@dataclass(frozen=True, slots=True)
class Load:
    """One rep's open promises."""

    owner_id: int
    name: str
    open: int
    breached: int
    next_due_at: datetime | None


def month_of(now: datetime, *, zone: ZoneInfo) -> Period:
    """The calendar month around ``now`` in the viewer's zone."""
    return periods.month_of(now.astimezone(zone).date(), zone=zone)


def attainment(*, period: Period, now: datetime, owner: User | None = None) -> Attainment:
    """Met of due among deadlines in the period. Promises that fell away before their deadline don't count."""
    counts = {cell: Count("pk", filter=condition) for cell, condition in conditions(now=now).items()}
    return Attainment(**deadlines(period=period, owner=owner).aggregate(**counts))


def deadlines(*, period: Period, owner: User | None = None) -> QuerySet[Clock]:
    """The promises of a first response whose deadline falls in the period, cancelled ones aside."""
    clocks = _respond(owner).exclude(state=ClockState.CANCELLED)
    if period.start is not None:
        clocks = clocks.filter(due_at__gte=period.start)
    if period.end is not None:
        clocks = clocks.filter(due_at__lt=period.end)
    return clocks


def conditions(*, now: datetime) -> dict[str, Q]:
    """What makes a promise met, late, missed or running; a number opens its clocks by the same."""
    past = Q(due_at__lt=now)
    return {
        "met": past & Q(state=ClockState.MET),
        "late": Q(state=ClockState.BREACHED_MET_LATE),
        # One whose deadline has passed is missed, though no sweep may have said so yet.
        "missed": past & Q(state__in=[ClockState.BREACHED_OPEN, ClockState.RUNNING]),
        "running": ~past & Q(state=ClockState.RUNNING),
    }


def live(*, now: datetime, owner: User | None = None) -> Live:
    """Counts of open promises."""
    late = Q(due_at__lt=now)
    counts = (
        _respond(owner)
        .filter(ended_at=None)
        .aggregate(
            open=Count("pk"),
            breached=Count("pk", filter=late),
            due_soon=Count("pk", filter=~late & Q(due_at__lt=now + SOON)),
            paused=Count("pk", filter=Q(state=ClockState.PAUSED)),
        )
    )
    return Live(**counts)


def overdue(*, now: datetime, owner: User | None = None) -> int:
    """How many promises of a first response are open past their deadline."""
    return _OVERDUE_OF.of(now=now, owner=owner.pk) if owner else _OVERDUE.of(now=now)


def loads(*, now: datetime, limit: int = 20) -> list[Load]:
    """Open promises per rep, who is deepest in breach first."""
    rows = (
        _respond(None)
        .filter(ended_at=None)
        .values("owner_id", "owner__name")
        .annotate(
            open=Count("pk"),
            breached=Count("pk", filter=Q(due_at__lt=now)),
            next_due_at=Min("due_at", filter=Q(due_at__gte=now)),
        )
        .order_by("-breached", "-open", "owner__name")[:limit]
    )
    return [
        Load(row["owner_id"], row["owner__name"], row["open"], row["breached"], row["next_due_at"])
        for row in rows
    ]


_TIMES = """
WITH waited AS (
  SELECT CASE WHEN k.state IN ('met', 'breached_met_late') THEN 'answered'
              WHEN k.ended_at IS NULL THEN 'waiting' ELSE 'never' END AS how,
         extract(epoch FROM coalesce(k.ended_at, %(now)s) - k.started_at)::float8 AS age,
         CASE WHEN k.ended_at IS NOT NULL THEN k.elapsed_seconds
              WHEN k.due_at < %(now)s THEN k.target_seconds ELSE 0 END::float8 AS open_age
    FROM sla_clock k
   WHERE k.kind = 'respond' AND k.state <> 'cancelled'
     AND (%(start)s::timestamptz IS NULL OR k.started_at >= %(start)s)
     AND (%(end)s::timestamptz IS NULL OR k.started_at < %(end)s)
     AND (%(owner)s::bigint IS NULL OR k.owner_id = %(owner)s)
)
SELECT count(*) FILTER (WHERE how = 'answered'), count(*) FILTER (WHERE how = 'waiting'),
       count(*) FILTER (WHERE how = 'never'), max(age) FILTER (WHERE how = 'waiting'),
       percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP
         (ORDER BY CASE how WHEN 'never' THEN 'Infinity' ELSE age END),
       percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP
         (ORDER BY CASE how WHEN 'never' THEN 'Infinity' ELSE open_age END)
  FROM waited
"""


def response_times(*, period: Period, now: datetime, owner: User | None = None) -> ResponseTimes:
    """Median and 90th percentile of the time to the first attempt for leads delivered in the period."""
    with connection.cursor() as cursor:
        values = {
            "now": now,
            "start": period.start,
            "end": period.end,
            "owner": owner.pk if owner else None,
        }
        cursor.execute(_TIMES, values)
        answered, waiting, never, oldest, ages, open_ages = cursor.fetchone()
    return ResponseTimes(
        answered=answered,
        waiting=waiting,
        never=never,
        oldest_waiting=_span(oldest),
        median=_span(ages[0] if ages else None),
        p90=_span(ages[1] if ages else None),
        open_median=_span(open_ages[0] if open_ages else None),
        open_p90=_span(open_ages[1] if open_ages else None),
    )


def _respond(owner: User | None) -> QuerySet[Clock]:
    clocks = Clock.objects.filter(kind=ClockKind.RESPOND)
    return clocks.filter(owner=owner) if owner else clocks


def _late() -> QuerySet[Clock]:
    return _respond(None).filter(ended_at=None, due_at__lt=given("now"))


_OVERDUE = Tally("clocks_overdue", _late)
_OVERDUE_OF = Tally("clocks_overdue_of", lambda: _late().filter(owner=given("owner")))


def _span(seconds: float | None) -> timedelta | None:
    if seconds is None or seconds == float("inf"):
        return None
    return timedelta(seconds=seconds)
