"""The first pages of marketers and managers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from funnel.selectors import hot, tombstones
from reporting.domain.presets import Preset, days_of
from reporting.domain.results import Result
from reporting.reports import catalogue
from reporting.selectors import supply as supply_selectors
from reporting.views import presentation
from sla.selectors import agreements, attainment, commitment_rows, commitments, glossary
from smarketing.core import periods
from smarketing.users.domain.roles import Capability, Side
from smarketing.users.selectors import organisation
from smarketing.web import rendering
from smarketing.web.pages import Request, page

_SHOWN = 8


@page(capability=Capability.VIEW)
def supply(request: Request) -> HttpResponse:
    """Leads delivered in the period, what was returned and why, campaigns by what became of them."""
    preset, given = _period(request)
    result = _run("supply", given, request)
    held = supply_selectors.held_at_the_gate()
    view = presentation.of(result, opens=_opener("supply", given))
    context = {
        "tabs": _tabs(request, preset),
        "result": result,
        "numbers": view.numbers,
        "by_campaign": next(grid for grid in view.grids if grid.key == "by_campaign"),
        "reasons": _bars(result, "by_reason", "returned", "share", given),
        "blocked": _blocked(given),
        "held": held[:_SHOWN],
        "held_count": held.count(),
        "hottest": hot.top(request.user, at=request.now, limit=_SHOWN),
        "answers": supply_selectors.latest_answers(_SHOWN),
        "promises": commitment_rows.rows(
            [line for line in commitments.lines(now=request.now) if line.spec.side == Side.MARKETING],
            now=request.now,
        ),
        "glossary": glossary.in_force(),
        "report_url": f"{reverse('reporting:report', args=['supply'])}?{urlencode(given)}",
    }
    return rendering.page(request, "reporting/supply.html", context)


@page(capability=Capability.VIEW)
def alignment(request: Request) -> HttpResponse:
    """Both promises beside each other, the funnel, and what is open at this moment."""
    preset, given = _period(request)
    result = _run("alignment", given, request)
    funnel_days = _days(Preset.LAST_90_DAYS if preset is Preset.THIS_MONTH else preset, request)
    funnel = _run("funnel", funnel_days, request)
    view = presentation.of(result, opens=_opener("alignment", given))
    context = {
        "tabs": _tabs(request, preset),
        "result": result,
        "numbers": view.numbers,
        "grids": view.grids,
        "funnel": funnel,
        "funnel_days": [date.fromisoformat(funnel_days[end]) for end in ("from", "to")],
        "steps": _bars(funnel, "stages", "reached", "from_previous", funnel_days),
        "promises": commitment_rows.rows(commitments.lines(now=request.now), now=request.now),
        "glossary": glossary.in_force(),
        "live": attainment.live(now=request.now),
        "loads": attainment.loads(now=request.now),
        "agreement": agreements.in_force(),
        "is_definition_signed": supply_selectors.is_definition_signed(),
    }
    return rendering.page(request, "reporting/alignment.html", context)


def _blocked(given: Mapping[str, str]) -> tombstones.Blocked:
    """Leads of the period that were kept from being delivered again."""
    first, last = (date.fromisoformat(given[name]) for name in ("from", "to"))
    period = periods.of_dates(first, last, zone=organisation.zone())
    return tombstones.blocked(start=period.start, end=period.end)


def _period(request: Request) -> tuple[Preset, Mapping[str, str]]:
    try:
        preset = Preset(request.GET.get("period", Preset.THIS_MONTH))
    except ValueError:
        preset = Preset.THIS_MONTH
    return preset, _days(preset, request)


def _days(preset: Preset, request: Request) -> Mapping[str, str]:
    today = request.now.astimezone(organisation.zone()).date()
    first, last = days_of(preset, today)
    return {"from": first.isoformat(), "to": last.isoformat()}


def _tabs(request: Request, current: Preset) -> list[tuple[str, str]]:
    labels = {
        Preset.THIS_MONTH: _("This month"),
        Preset.LAST_MONTH: _("Last month"),
        Preset.LAST_90_DAYS: _("90 days"),
        Preset.LAST_YEAR: _("12 months"),
    }
    return [
        (labels[preset], request.path if preset is Preset.THIS_MONTH else f"{request.path}?period={preset}")
        for preset in Preset
    ]


def _run(key: str, given: Mapping[str, str], request: Request) -> Result:
    return catalogue.get(key).run(given, zone=organisation.zone(), now=request.now)


def _opener(key: str, given: Mapping[str, str]) -> presentation.Opener:
    base = reverse("reporting:records", args=[key])
    return lambda row, cell: f"{base}?{urlencode({**given, 'row': row, 'cell': cell})}"


def _bars(result: Result, table: str, column: str, note: str, given: Mapping[str, str]) -> list[Any]:
    found = next(t for t in result.tables if t.key == table)
    return presentation.bars(found, column=column, note=note, opens=_opener(result.report, given))
