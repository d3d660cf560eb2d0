"""What is being sent to a person, and by whom: marketing's automations and sales' own words, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max

from leads.models import Activity, ActivityKind, Direction, Person, Touchpoint, TouchpointKind

LATEST = 5
RECENT = timedelta(days=90)
_SENT = (ActivityKind.CALL, ActivityKind.MAIL, ActivityKind.MEETING)
_PUSHED = (TouchpointKind.EMAIL, TouchpointKind.AD, TouchpointKind.SOCIAL, TouchpointKind.EVENT)


@dataclass(frozen=True, slots=True)
class Sent:
    """One message or contact that went out: what, by whom or by which campaign, when."""

    title: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Contacter:
    """A colleague who has contacted the person lately, and how often."""

    name: str
    times: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Outreach:
    """The latest of each side, and how much there was in the last 90 days."""

    marketing: list[Sent]
    sales: list[Sent]
    contacters: list[Contacter]
    marketing_count: int
    sales_count: int

    @property
    def is_empty(self) -> bool:
        """Whether nobody has sent anything."""
        return not self.marketing and not self.sales


def of_person(person: Person, *, now: datetime) -> Outreach:
    """What both teams send; a fixed number of queries, each by the person's index."""
    out = Activity.objects.filter(person=person, direction=Direction.OUTBOUND, kind__in=_SENT)
    human, automated = out.filter(is_automated=False), out.filter(is_automated=True)
    pushed = Touchpoint.objects.filter(person=person, kind__in=_PUSHED, is_self_reported=False)
    since = now - RECENT
    marketing = [*map(_of_activity, _latest(automated)), *map(_of_touch, _latest_touches(pushed))]
    told = human.filter(occurred_at__gte=since, actor__isnull=False).values("actor__name")
    contacters = told.annotate(times=Count("pk"), last_at=Max("occurred_at")).order_by("-last_at")[:LATEST]
    return Outreach(
        marketing=sorted(marketing, key=lambda sent: sent.at, reverse=True)[:LATEST],
        sales=[_of_activity(row) for row in _latest(human)],
        contacters=[Contacter(c["actor__name"], c["times"], c["last_at"]) for c in contacters],
        marketing_count=automated.filter(occurred_at__gte=since).count()
        + pushed.filter(occurred_at__gte=since).count(),
        sales_count=human.filter(occurred_at__gte=since).count(),
    )


def _latest(rows: object) -> list[Activity]:
    return list(rows.select_related("actor").order_by("-occurred_at", "-pk")[:LATEST])  # type: ignore[attr-defined]


def _latest_touches(rows: object) -> list[Touchpoint]:
    found = rows.select_related("campaign", "channel")  # type: ignore[attr-defined]
    return list(found.order_by("-occurred_at", "-pk")[:LATEST])


def _of_activity(row: Activity) -> Sent:
    return Sent(
        row.subject or str(ActivityKind(row.kind).label), row.actor.name if row.actor else "", row.occurred_at
    )


def _of_touch(row: Touchpoint) -> Sent:
    by = row.campaign.name if row.campaign else row.channel.name
    return Sent(row.title or str(TouchpointKind(row.kind).label), by, row.occurred_at)
