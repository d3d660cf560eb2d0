"""The one writer of the website's rollups: days are marked as visits change, and computed whole by a loop."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from reporting.models import PageDay, PageReader, VisitDay, VisitMark, VisitorDay
from reporting.services import website_statements as sql
from smarketing.core import locks, loops, periods
from smarketing.users.selectors import organisation

LOOP = "rollups"
DAY = timedelta(days=1)
# The columns by which two computations of a table are compared.
_TABLES: dict[type[Any], tuple[str, ...]] = {
    VisitorDay: ("source_id", "day", "previous_day", "is_known", "visitors"),
    VisitDay: (
        "source_id", "day", "channel_id", "campaign", "landing", "sessions", "firsts", "pages",
        "attention_seconds",
    ),
    PageDay: ("source_id", "day", "path", "title", "views", "visitors", "entries", "attention_seconds"),
    PageReader: ("source_id", "day", "path", "person_id"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How many days were computed, and how many rows were wrong or missing before."""

    days: int
    rows: int


@transaction.atomic(savepoint=False)
def mark(*, days: Iterable[tuple[int, date]], now: datetime) -> None:
    """Sessions of these sources and UTC days have changed. Adds rows only, so that nobody waits here.

    The loop is not nudged: a busy day is computed every few seconds at most, however many batches come.
    """
    zone = organisation.zone()
    local = {(source, there) for source, day in days for there in _local_days(day, zone)}
    rows = [VisitMark(source_id=source, day=day, at=now) for source, day in sorted(local)]
    VisitMark.objects.bulk_create(rows)


@transaction.atomic(savepoint=False)
def follow_persons(*, person_ids: Iterable[int], now: datetime, forget: bool = False) -> None:
    """Days on which these persons came are to be computed anew: they were merged, parted or erased.

    ``forget`` takes them out of the readers of pages at once.
    """
    ids = sorted(set(person_ids))
    with connection.cursor() as cursor:
        cursor.execute(sql.MARK_PERSONS, {"persons": ids, "zone": str(organisation.zone()), "now": now})
    if forget:
        PageReader.objects.filter(person__in=ids).delete()


@transaction.atomic
def run_once(*, now: datetime, limit: int) -> int:
    """Compute the marked days anew, the oldest marks first; returns how many marks were settled.

    One runner at a time: a day is computed from what is committed once the lock is ours, and marks that
    come later stay for the next run.
    """
    if not locks.try_advisory(locks.Namespace.ROLLUPS, 0):
        return 0
    marks = list(VisitMark.objects.order_by("pk")[:limit])
    zone = organisation.zone()
    waiting = [(mark.day, mark.source_id) for mark in marks]
    heapq.heapify(waiting)
    done: set[tuple[date, int]] = set()
    while waiting:  # ends: a day asks for later ones only
        day, source = heapq.heappop(waiting)
        if (day, source) not in done:
            done.add((day, source))
            for later in _compute(source, day, zone, now):
                heapq.heappush(waiting, (later, source))
    VisitMark.objects.filter(pk__in=[mark.pk for mark in marks]).delete()
    return len(marks)


@transaction.atomic
def mark_all(*, now: datetime) -> None:
    """Every day that still has sessions is to be computed anew: the calendar has changed."""
    with connection.cursor() as cursor:
        cursor.execute(sql.MARK_ALL, {"zone": str(organisation.zone()), "now": now, "margin": 1})
    loops.nudge(LOOP)


@transaction.atomic
def rebuild(*, now: datetime) -> Rebuilt:
    """Compute every day that still has sessions and say how many rows that changed (0 when all is well).

    Days before the oldest session are kept: their visits were deleted by retention.
    """
    locks.advisory(locks.Namespace.ROLLUPS, 0)
    with connection.cursor() as cursor:
        cursor.execute(sql.MARK_ALL, {"zone": str(organisation.zone()), "now": now, "margin": 0})
    zone, wrong = organisation.zone(), 0
    days = sorted(set(VisitMark.objects.values_list("source_id", "day")))
    for source, day in days:
        before = _content(source, day)
        _compute(source, day, zone, now)
        wrong += len(before ^ _content(source, day))
    VisitMark.objects.all().delete()
    return Rebuilt(len(days), wrong)


def _compute(source: int, day: date, zone: ZoneInfo, now: datetime) -> list[date]:
    """Write one day of one source, and say which later days count from it anew."""
    period = periods.of_dates(day, day, zone=zone)
    given: dict[str, Any] = {
        "source": source,
        "day": day,
        "start": period.start,
        "end": period.end,
        "zone": str(zone),
        "landings": VisitDay.LANDINGS,
        "other": VisitDay.OTHER,
        "pages": PageDay.PAGES,
    }
    later: list[date] = []
    with connection.cursor() as cursor:
        cursor.execute(sql.STATE, {**given, "now": now})
        if cursor.fetchone()[0]:
            cursor.execute(sql.LATER, given)
            later = [row[0] for row in cursor.fetchall()]
        for statement in (*sql.CLEAR, sql.VISITORS, sql.VISITS, sql.PAGES):
            cursor.execute(statement, given)
    return later


def _local_days(day: date, zone: ZoneInfo) -> set[date]:
    """The days of ``zone`` that a UTC day touches."""
    first = datetime.combine(day, time.min, tzinfo=UTC)
    return {first.astimezone(zone).date(), (first + DAY - timedelta(microseconds=1)).astimezone(zone).date()}


def _content(source: int, day: date) -> set[tuple[Any, ...]]:
    return {
        (model.__name__, *row)
        for model, columns in _TABLES.items()
        for row in model._default_manager.filter(source=source, day=day).values_list(*columns)
    }
