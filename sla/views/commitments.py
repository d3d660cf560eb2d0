"""Commitments: both sides beside each other, one's own, and the leads behind each number."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_filters import FilterSet

from funnel.models import Handoff
from leads.models import Person
from sla import access
from sla.domain import metrics
from sla.models import Clause
from sla.selectors import (
    agreements,
    attainment,
    commitment_rows,
    commitments,
    deliveries,
    feeds,
    glossary,
    mine,
    prose,
)
from smarketing.core.periods import Period
from smarketing.users.domain.roles import Capability
from smarketing.users.models import SideChoices, User
from smarketing.users.selectors import organisation
from smarketing.web import lists, rendering
from smarketing.web.lists import Empty
from smarketing.web.pages import Request, page
from smarketing.web.tables import Column, TableSpec

MOST_BACK = 12
HANDOFFS = TableSpec(
    id="commitment-leads",
    caption=gettext_lazy("Leads"),
    default_sort="-delivered",
    columns=(
        Column("lead", gettext_lazy("Lead")),
        Column("owner", gettext_lazy("Owner")),
        Column("state", gettext_lazy("State")),
        Column("delivered", gettext_lazy("Delivered"), sort="delivered_at"),
        Column("answered", gettext_lazy("Answered"), sort="answered_at"),
    ),
)
PERSONS = TableSpec(
    id="commitment-persons",
    caption=gettext_lazy("Prospects contacted"),
    default_sort="-seen",
    columns=(
        Column("person", gettext_lazy("Person")),
        Column("company", gettext_lazy("Company")),
        Column("seen", gettext_lazy("Known since"), sort="created_at"),
    ),
)


class _All(FilterSet):
    """No filter: the rows are already those of one number."""


@page(capability=Capability.VIEW)
def overview(request: Request) -> HttpResponse:
    """What each side promised in the period and how it stands."""
    back = _back(request)
    told = commitment_rows.rows(commitments.lines(now=request.now, back=back), now=request.now)
    sides = [
        {"label": choice.label, "rows": [row for row in told if row.side == choice.value]}
        for choice in SideChoices
    ]
    context = {"sides": sides, "tabs": _tabs(request.path), "glossary": glossary.in_force()}
    return rendering.page(request, "sla/commitments.html", context)


@page(capability=Capability.VIEW)
def mine_page(request: Request) -> HttpResponse:
    """What I have promised, what is promised to me, and what I am accountable for."""
    told = mine.of(request.user, now=request.now, back=_back(request))
    context = {
        "own": commitment_rows.rows(told.own, now=request.now),
        "owed": commitment_rows.rows(told.owed, now=request.now),
        "accountable": told.accountable,
        "plan": told.plan,
        "live": attainment.live(now=request.now, owner=request.user),
        "feed": feeds.of(request.user),
        "tabs": _tabs(request.path),
        "glossary": glossary.in_force(),
    }
    return rendering.page(request, "sla/mine.html", context)


@page(capability=Capability.VIEW)
def leads(request: Request, pk: int, day: str, cell: str) -> HttpResponse:
    """The leads (or persons) that one number counts."""
    clause = access.clause(request.user, pk)
    period = _period(clause, day)
    owner = _owner(request)
    spec = agreements.spec_of(clause)
    heading = f"{prose.name(clause.metric)} · {commitment_rows.period_text(period)}"
    context = {"heading": heading, "crumbs": [(_("Commitments"), reverse("sla:commitments"))]}
    empty = Empty("list", _("Nothing is counted here."))
    if clause.metric == metrics.CONTACTS:
        tried = deliveries.attempts(period, owner=owner).values("person_id")
        persons = Person.objects.visible_to(request.user).filter(pk__in=tried).select_related("company")
        return lists.render(
            request,
            "sla/commitment_leads.html",
            spec=PERSONS,
            filterset=_All(request.GET, queryset=persons),
            row="sla/_person_row.html",
            empty=empty,
            context=context,
        )
    if clause.metric == metrics.MEETINGS:
        return rendering.redirect(request, "sla:meetings")
    cells = deliveries.cells(spec, period, now=request.now, owner=owner)
    if cell not in cells:
        raise access.CellMissing(_("There is no such number."))
    ids = cells[cell].values("pk")
    found = Handoff.objects.visible_to(request.user).filter(pk__in=ids)
    return lists.render(
        request,
        "sla/commitment_leads.html",
        spec=HANDOFFS,
        filterset=_All(request.GET, queryset=found.select_related("lead__person", "lead__company", "owner")),
        row="sla/_delivery_row.html",
        empty=empty,
        context=context,
    )


def _back(request: Request) -> int:
    text = request.GET.get("back", "0")
    return min(int(text), MOST_BACK) if text.isdecimal() and len(text) < 4 else 0


def _tabs(path: str) -> list[tuple[str, str]]:
    labels = (_("This period"), _("Last period"), _("Two back"), _("Three back"))
    return [(label, f"{path}?back={back}" if back else path) for back, label in enumerate(labels)]


def _period(clause: Clause, day: str) -> Period:
    try:
        first = date.fromisoformat(day)
    except ValueError as error:
        raise access.CellMissing(_("There is no such period.")) from error
    zone = organisation.zone()
    instant: datetime = datetime.combine(first, time(12), tzinfo=zone)
    return commitments.span_of(agreements.spec_of(clause), instant, zone=zone)


def _owner(request: Request) -> User | None:
    text: Any = request.GET.get("owner", "")
    if not text.isdecimal() or len(text) > 18:
        return None
    return User.objects.filter(pk=int(text)).first()
