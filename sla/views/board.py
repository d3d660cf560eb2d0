"""The live board of promises: what is due soon, what is overdue, who is deepest in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sla.forms.filters import ClockFilter
from sla.models import Clock, ClockKind
from sla.selectors import attainment, clocks
from sla.selectors.attainment import ResponseTimes
from sla.selectors.clocks import ClockView
from sla.selectors.links import lead_path
from smarketing.users.domain.roles import Capability
from smarketing.web import formats, lists, rendering
from smarketing.web.lists import Empty
from smarketing.web.pages import Request, page
from smarketing.web.tables import Column, TableSpec


@dataclass(frozen=True, slots=True)
class Row:
    """A clock as the board shows it."""

    clock: Clock
    view: ClockView
    lead_url: str


@dataclass(frozen=True, slots=True)
class Speed:
    """The time to a first response in words, with what it leaves open."""

    value: str
    note: str


CLOCKS = TableSpec(
    id="clocks",
    caption=gettext_lazy("Promises about single leads"),
    columns=(
        Column("lead", gettext_lazy("Lead")),
        Column("kind", gettext_lazy("Promise")),
        Column("due", gettext_lazy("Due"), sort="due_at"),
        Column("owner", gettext_lazy("Owner"), sort="owner__name"),
        Column("delivered", gettext_lazy("Delivered"), sort="started_at"),
        Column("answer", gettext_lazy("Answer")),
    ),
    default_sort="due",
)


@page(capability=Capability.VIEW)
def board(request: Request) -> HttpResponse:
    """Counts of now and of this month, then the clocks: open first responses unless asked otherwise."""
    rows = clocks.visible_to(request.user)
    if not request.GET.get("show") and not request.GET.getlist("state"):
        rows = rows.open()
    if not request.GET.getlist("kind"):
        rows = rows.filter(kind=ClockKind.RESPOND)
    filterset = ClockFilter(request.GET, queryset=rows, request=request)
    return lists.render(
        request,
        "sla/board.html",
        spec=CLOCKS,
        filterset=filterset,
        row="sla/_clock_row.html",
        empty=Empty("timer", _("No promise is open here. Clocks start when a lead is delivered to sales.")),
        context=_live(request),
        dress=partial(_dress, now=request.now),
    )


@page(capability=Capability.VIEW)
def live(request: Request) -> HttpResponse:
    """The counts alone, for the live refresh."""
    return rendering.fragment(request, "sla/_board_live.html", _live(request))


def _live(request: Request) -> dict[str, Any]:
    month = attainment.month_of(request.now, zone=ZoneInfo(timezone.get_current_timezone_name()))
    return {
        "live": attainment.live(now=request.now),
        "month": attainment.attainment(period=month, now=request.now),
        "times": speed_in_words(attainment.response_times(period=month, now=request.now)),
        "loads": attainment.loads(now=request.now),
    }


def speed_in_words(times: ResponseTimes) -> Speed:
    """The median in words; a lower bound while somebody waits, never better by leaving them out."""
    if not times.answered and not times.waiting and not times.never:
        return Speed("–", _("nothing was delivered this month"))
    value = _longest(times.median)
    notes = [_("90%% within %(span)s") % {"span": _longest(times.p90)}]
    if times.open_median != timedelta(0):
        notes.insert(0, _("in business time %(span)s") % {"span": _longest(times.open_median)})
    notes.append(_("%(n)s answered") % {"n": formats.number(times.answered)})
    if times.waiting:
        notes.append(_("%(n)s waiting") % {"n": formats.number(times.waiting)})
    if times.never:
        notes.append(_("%(n)s never answered") % {"n": formats.number(times.never)})
    return Speed(f"≥ {value}" if times.is_lower_bound and times.median else value, "; ".join(notes))


def _longest(span: timedelta | None) -> str:
    """A length of time; none stands for longer than anybody has waited."""
    return _("never") if span is None else formats.span(span)


def _dress(clocks_of_page: list[Clock], *, now: datetime) -> list[Row]:
    """Each clock in words, with the address of its lead."""
    views = clocks.views(clocks_of_page, now=now)
    return [Row(clock, views[clock.pk], lead_path(clock.handoff.lead_id)) for clock in clocks_of_page]
