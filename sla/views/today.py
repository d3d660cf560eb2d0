"""The manager's day: who should act, who has too much, what leaks away and how fast leads are answered."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django_filters import FilterSet

from sla.models import ClockKind
from sla.selectors import attainment, neglect, pausing
from sla.selectors.links import lead_path
from sla.selectors.neglect import Debt, Escalation
from sla.views.board import speed_in_words
from sla.views.commitments import HANDOFFS
from smarketing.core.periods import Period
from smarketing.users.domain.roles import Capability
from smarketing.users.selectors import organisation
from smarketing.web import charts, formats, lists, rendering
from smarketing.web.lists import Empty
from smarketing.web.pages import Request, page


class _All(FilterSet):
    """No filter: the rows are already those of one number."""


@page(capability=Capability.VIEW)
def today(request: Request) -> HttpResponse:
    """Everything on one page, of this month and of now."""
    month, now = _month(request), request.now
    leak = neglect.leak(month, now=now)
    context = {
        "live": attainment.live(now=now),
        "waiting": neglect.waiting(),
        "debts": [_debt(debt) for debt in neglect.debts(now=now)],
        "loads": attainment.loads(now=now),
        "leak": leak,
        "leak_worth": formats.money(round(leak.worth), organisation.current().currency),
        "times": speed_in_words(attainment.response_times(period=month, now=now)),
        "speeds": _bars(neglect.speeds(period=month, now=now)),
        "escalations": [_escalation(found) for found in neglect.escalated(now=now)],
        "pausers": pausing.by_person(period=month, now=now),
    }
    return rendering.page(request, "sla/today.html", context)


@page(capability=Capability.VIEW)
def leaks(request: Request) -> HttpResponse:
    """The leads of this month that nobody has touched for two days or more."""
    found = neglect.leaked(_month(request), now=request.now)
    return lists.render(
        request,
        "sla/commitment_leads.html",
        spec=HANDOFFS,
        filterset=_All(request.GET, queryset=found.select_related("lead__person", "lead__company", "owner")),
        row="sla/_delivery_row.html",
        empty=Empty("droplets", _("Nothing leaks: every lead delivered this month was touched.")),
        context={
            "heading": _("Delivered, never touched"),
            "crumbs": [(_("Manager's day"), reverse("sla:today"))],
        },
    )


def _month(request: Request) -> Period:
    return attainment.month_of(request.now, zone=ZoneInfo(timezone.get_current_timezone_name()))


def _debt(debt: Debt) -> dict[str, Any]:
    kinds = [
        f"{ClockKind(kind).label}: {formats.number(count)}" for kind, count in sorted(debt.by_kind.items())
    ]
    url = f"{reverse('sla:board')}?show=breached&owner={debt.owner_id}"
    every = "".join(f"&kind={kind}" for kind in debt.by_kind)
    return {"debt": debt, "kinds": ", ".join(kinds), "url": url + every}


def _escalation(found: Escalation) -> dict[str, Any]:
    steps = {
        "lead": _("the team lead was told"),
        "reassign": _("was to go to another rep; nobody could take it"),
        "managers": _("both managers were told"),
    }
    told = f"{ClockKind(found.promise).label} · {found.owner} · {steps[found.step]}"
    name = found.lead or _("A lead without a name")
    return {"name": name, "told": told, "at": found.at, "url": lead_path(found.lead_id)}


def _bars(told: list[tuple[str, int]]) -> list[charts.Bar]:
    labels = {
        "1h": _("within an hour"),
        "4h": _("1 to 4 hours"),
        "1d": _("4 hours to a day"),
        "3d": _("1 to 3 days"),
        "longer": _("longer"),
        "waiting": _("still waiting"),
        "never": _("never answered"),
    }
    tones = {"waiting": "warn", "never": "bad"}
    return [
        charts.Bar(labels[name], count, formats.number(count), tone=tones.get(name, ""))
        for name, count in told
    ]
