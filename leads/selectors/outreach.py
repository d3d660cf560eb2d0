"""What is being sent to a person, and by whom: marketing's automations and sales' own words, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from leads.models import Activity, ActivityKind, Direction, Person, Touchpoint, TouchpointKind
from smarketing.core.prepared import Query, given

LATEST = 5
RECENT = timedelta(days=90)
# So many of each are read; counts end there.
READ = 200
_SENT = (ActivityKind.CALL, ActivityKind.MAIL, ActivityKind.MEETING)
_PUSHED = (TouchpointKind.EMAIL, TouchpointKind.AD, TouchpointKind.SOCIAL, TouchpointKind.EVENT)
_ACTS = Query(
    "outreach_of_sales",
    lambda: (
        Activity.objects.filter(person=given("person"), direction=Direction.OUTBOUND, kind__in=_SENT)
        .select_related("actor")
        .order_by("-occurred_at", "-pk")
    ),
    ending="LIMIT %(most)s",
)
_PUSHES = Query(
    "outreach_of_marketing",
    lambda: (
        Touchpoint.objects.filter(person=given("person"), kind__in=_PUSHED, is_self_reported=False)
        .select_related("campaign", "channel")
        .order_by("-occurred_at", "-pk")
    ),
    ending="LIMIT %(most)s",
)


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
    """What both teams send; two queries, each by the person's index."""
    acts = _ACTS.all(person=person.pk, most=READ)
    pushed = _PUSHES.all(person=person.pk, most=READ)
    human = [_of_activity(act) for act in acts if not act.is_automated]
    marketing = [_of_activity(act) for act in acts if act.is_automated] + [_of_touch(t) for t in pushed]
    since = now - RECENT
    return Outreach(
        marketing=sorted(marketing, key=lambda sent: sent.at, reverse=True)[:LATEST],
        sales=human[:LATEST],
        contacters=_contacters([sent for sent in human if sent.at >= since]),
        marketing_count=sum(sent.at >= since for sent in marketing),
        sales_count=sum(sent.at >= since for sent in human),
    )


def _contacters(sent: list[Sent]) -> list[Contacter]:
    """Colleagues by their last contact; ``sent`` is newest first."""
    found: dict[str, list[Sent]] = {}
    for one in sent:
        if one.by:
            found.setdefault(one.by, []).append(one)
    return [Contacter(name, len(theirs), theirs[0].at) for name, theirs in list(found.items())[:LATEST]]


def _of_activity(row: Activity) -> Sent:
    return Sent(
        row.subject or str(ActivityKind(row.kind).label), row.actor.name if row.actor else "", row.occurred_at
    )


def _of_touch(row: Touchpoint) -> Sent:
    by = row.campaign.name if row.campaign else row.channel.name
    return Sent(row.title or str(TouchpointKind(row.kind).label), by, row.occurred_at)
