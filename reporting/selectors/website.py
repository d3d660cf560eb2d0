"""Reads of the website: rollups for what is counted, the few leads of a period for what became of visits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import F, Max, Min, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from leads.models import Channel, Session
from reporting.models import DayState, PageDay, PageReader, VisitDay, VisitorDay

LIVE = timedelta(minutes=30)
# Nobody stays longer in one visit; older ones need not be looked through.
LONGEST = timedelta(hours=24)
MOST_LIVE = 50
# A lead comes of the last visit before its capture, if that was not longer ago.
CONVERTS_WITHIN = timedelta(days=90)

_PATH = """left(coalesce(nullif(rtrim(split_part(split_part(regexp_replace(s.entry_url,
  '^[a-zA-Z][a-zA-Z0-9+.-]*://[^/?#]*', ''), '?', 1), '#', 1), '/'), ''), '/'), 200)"""
# The leads captured in a period with the visit of that period that brought each.
_CONVERTED = f"""
SELECT j.lead_id, j.person_id, s.id AS session_id, s.channel_id,
       left(coalesce(s.parameters ->> 'utm_campaign', ''), 120) AS campaign, {_PATH} AS landing,
       (s.started_at AT TIME ZONE %(zone)s)::date AS day,
       j.mql_at IS NOT NULL OR j.sql_at IS NOT NULL OR j.opportunity_at IS NOT NULL OR j.won_at IS NOT NULL,
       j.won_at IS NOT NULL
FROM reporting_journey j
JOIN LATERAL (
  SELECT s.* FROM leads_session s
  WHERE s.person_id = j.person_id AND s.started_at <= j.captured_at AND s.started_at >= %(start)s
    AND s.started_at > j.captured_at - %(within)s AND (%(source)s IS NULL OR s.source_id = %(source)s)
  ORDER BY s.started_at DESC, s.id DESC LIMIT 1) s ON true
WHERE j.captured_at >= %(start)s AND j.captured_at < %(end)s
"""  # noqa: S608
# What became of the known readers of some pages, at any time.
_FATES = """
WITH r AS (
  SELECT DISTINCT path, person_id FROM reporting_pagereader
  WHERE day BETWEEN %(first)s AND %(last)s AND path = ANY(%(paths)s)
    AND (%(source)s IS NULL OR source_id = %(source)s))
SELECT r.path, count(*), count(f.lead), count(*) FILTER (WHERE f.mql), count(*) FILTER (WHERE f.won)
FROM r
LEFT JOIN LATERAL (
  SELECT max(l.id) AS lead,
         bool_or(j.mql_at IS NOT NULL OR j.sql_at IS NOT NULL OR j.opportunity_at IS NOT NULL
                 OR j.won_at IS NOT NULL) AS mql,
         bool_or(j.won_at IS NOT NULL) AS won
  FROM leads_lead l JOIN reporting_journey j ON j.lead_id = l.id WHERE l.person_id = r.person_id) f ON true
GROUP BY r.path
"""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days of the organisation's calendar, both included, and the source looked at (``None``: all)."""

    first: date
    last: date
    source: int | None
    zone: ZoneInfo
    start: datetime
    end: datetime

    def days(self, model: Any) -> QuerySet[Any]:
        """The rows of a rollup within the stretch."""
        rows: QuerySet[Any] = model._default_manager.filter(day__range=(self.first, self.last))
        return rows if self.source is None else rows.filter(source=self.source)

    def sessions(self) -> QuerySet[Session]:
        """The sessions behind them."""
        rows = Session.objects.filter(started_at__gte=self.start, started_at__lt=self.end)
        return rows if self.source is None else rows.filter(source=self.source)


@dataclass(frozen=True, slots=True)
class Uniques:
    """Visitors of a stretch, each once; ``new`` came never before, ``known`` are persons we know."""

    visitors: int
    new: int
    known: int

    @property
    def returning(self) -> int:
        """Who had been here before the stretch."""
        return self.visitors - self.new


@dataclass(frozen=True, slots=True)
class Converted:
    """A lead with the visit that brought it, and how far it came."""

    lead: int
    person: int
    session: int
    keys: Mapping[str, str]
    is_mql: bool
    is_customer: bool


@dataclass(frozen=True, slots=True)
class Fate:
    """The known readers of a page and how many of them became what."""

    readers: int = 0
    leads: int = 0
    mqls: int = 0
    customers: int = 0


def bounds() -> tuple[date | None, date | None]:
    """The first and the last day that have been counted."""
    told = VisitorDay.objects.aggregate(first=Min("day"), last=Max("day"))
    return told["first"], told["last"]


def computed_at(stretch: Stretch) -> datetime | None:
    """When a day of the stretch was last computed."""
    found: datetime | None = stretch.days(DayState).aggregate(at=Max("computed_at"))["at"]
    return found


def uniques(stretch: Stretch) -> Uniques:
    """Exact numbers of visitors: each counts on the first day of the stretch on which they came."""
    rows = stretch.days(VisitorDay).filter(Q(previous_day=None) | Q(previous_day__lt=stretch.first))
    told = rows.aggregate(
        all=Coalesce(Sum("visitors"), 0),
        new=Coalesce(Sum("visitors", filter=Q(previous_day=None)), 0),
        known=Coalesce(Sum("visitors", filter=Q(is_known=True)), 0),
    )
    return Uniques(visitors=told["all"], new=told["new"], known=told["known"])


def visitors_by_day(stretch: Stretch) -> list[tuple[date, int]]:
    """Each day's visitors, for a line."""
    rows = stretch.days(VisitorDay).values("day").annotate(n=Sum("visitors")).order_by("day")
    return [(row["day"], row["n"]) for row in rows]


def visits(stretch: Stretch, by: str) -> list[dict[str, Any]]:
    """Sessions, visitors' firsts, pages and attention by one dimension, the largest first."""
    column = {"channel": "channel__code", "campaign": "campaign", "landing": "landing", "day": "day"}[by]
    order = ["key"] if by == "day" else ["-sessions_sum", "key"]
    label = F("channel__name") if by == "channel" else F(column)
    return list(
        stretch.days(VisitDay)
        .values(key=F(column), label=label)
        .annotate(sessions_sum=Sum("sessions"), firsts_sum=Sum("firsts"), pages_sum=Sum("pages"))
        .order_by(*order)
    )


def totals(stretch: Stretch) -> dict[str, int]:
    """Sessions and pages of the whole stretch."""
    return stretch.days(VisitDay).aggregate(
        sessions_sum=Coalesce(Sum("sessions"), 0), pages_sum=Coalesce(Sum("pages"), 0)
    )


def pages(stretch: Stretch, *, limit: int) -> list[dict[str, Any]]:
    """The most seen pages."""
    return list(
        stretch.days(PageDay)
        .values("path")
        .annotate(
            title=Max("title"),
            views_sum=Sum("views"),
            entries_sum=Sum("entries"),
            attention_sum=Sum("attention_seconds"),
        )
        .order_by("-views_sum", "path")[:limit]
    )


def fates(stretch: Stretch, paths: Sequence[str]) -> dict[str, Fate]:
    """What became of the known readers of these pages; one query."""
    given: dict[str, Any] = {
        "first": stretch.first,
        "last": stretch.last,
        "paths": list(paths),
        "source": stretch.source,
    }
    with connection.cursor() as cursor:
        cursor.execute(_FATES, given)
        return {path: Fate(*counts) for path, *counts in cursor.fetchall()}


def converted(stretch: Stretch) -> list[Converted]:
    """The leads captured in the stretch after a visit of the stretch, with that visit; one query."""
    given: dict[str, Any] = {
        "zone": str(stretch.zone),
        "start": stretch.start,
        "end": stretch.end,
        "within": CONVERTS_WITHIN,
        "source": stretch.source,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CONVERTED, given)
        rows = cursor.fetchall()
    codes = dict(Channel.objects.values_list("pk", "code"))
    return [
        Converted(
            lead=lead,
            person=person,
            session=session,
            keys={
                "channel": codes[channel],
                "campaign": campaign,
                "landing": landing,
                "day": day.isoformat(),
            },
            is_mql=is_mql,
            is_customer=is_customer,
        )
        for lead, person, session, channel, campaign, landing, day, is_mql, is_customer in rows
    ]


def readers_of(stretch: Stretch, path: str) -> QuerySet[PageReader]:
    """The known readers of one page."""
    return stretch.days(PageReader).filter(path=path)


def live(*, now: datetime) -> tuple[int, list[Session]]:
    """How many visits are going on (seen in the last half hour), and the latest of them; two queries."""
    going = Session.objects.filter(started_at__gte=now - LONGEST, last_at__gt=now - LIVE)
    shown = going.select_related("person__company", "channel").order_by("-last_at", "-pk")[:MOST_LIVE]
    return going.count(), list(shown)
