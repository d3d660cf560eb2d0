"""The website for marketers: who comes, how, what they read, and what becomes of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.http import HttpResponse, HttpResponseNotModified
from django.urls import reverse
from django.utils.translation import gettext as _

from leads.models import Session
from reporting.domain.presets import Preset, days_of, previous_of
from reporting.domain.results import Rate, Result
from reporting.reports import catalogue
from reporting.reports import website as report
from reporting.selectors import website
from reporting.views import presentation
from smarketing.users.domain.roles import Capability
from smarketing.users.selectors import organisation
from smarketing.web import charts, formats, rendering
from smarketing.web.pages import Request, page

KEY = "website"


@dataclass(frozen=True, slots=True)
class _Going:
    """A visit that is going on, and the page it is at."""

    visit: Session
    path: str


@page(capability=Capability.VIEW)
def dashboard(request: Request) -> HttpResponse:
    """One period beside the stretch before it; every number opens its records."""
    preset = _preset(request)
    first, last = days_of(preset, request.now.astimezone(organisation.zone()).date())
    given = _days(first, last)
    result, before = _run(given, request), _run(_days(*previous_of(first, last)), request)
    view = presentation.of(result, opens=_opener(given))
    grids = {grid.key: grid for grid in view.grids}
    by_campaign = _run({**given, "by": "campaign"}, request)
    campaigns = presentation.of(by_campaign, opens=_opener({**given, "by": "campaign"}))
    params = catalogue.get(KEY).params(given, zone=organisation.zone())
    days = website.visitors_by_day(report.stretch_of(params, now=request.now))
    context = {
        "tabs": _tabs(request),
        "result": result,
        "numbers": _numbers(view, result, before),
        "steps": _steps(result, given),
        "by_channel": grids["by_channel"],
        "pages": grids["pages"],
        "by_campaign": next(grid for grid in campaigns.grids if grid.key == "by_campaign"),
        "days": days,
        "line": charts.sparkline([n for _day, n in days], width=960, height=90),
        "setup_url": reverse("leads:write_keys") if request.user.may(Capability.MANAGE_KEYS) else "",
        "report_url": f"{reverse('reporting:report', args=[KEY])}?{urlencode(given)}",
        **_live(request),
    }
    return rendering.page(request, "reporting/website.html", context)


@page(capability=Capability.VIEW)
def live(request: Request) -> HttpResponse:
    """Who is on the website at this moment; 304 while nothing has changed."""
    shown = _live(request)
    etag = f'"{shown["fingerprint"]}"'
    if request.headers.get("If-None-Match") == etag:
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = rendering.fragment(request, "reporting/_website_live.html", shown)
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    return response


def _live(request: Request) -> dict[str, Any]:
    count, going = website.live(now=request.now)
    told = [(visit.pk, visit.pages, visit.last_at, visit.person_id) for visit in going]
    digest = hashlib.sha256(repr((count, told)).encode()).hexdigest()[:20]
    return {
        "going_count": count,
        "going": [_Going(visit, _path(visit.exit_url)) for visit in going[:12]],
        "fingerprint": digest,
    }


def _path(url: str) -> str:
    """The readable part of an address."""
    try:
        return urlsplit(url).path or "/"
    except ValueError:
        return ""


def _preset(request: Request) -> Preset:
    try:
        return Preset(request.GET.get("period", Preset.THIS_MONTH))
    except ValueError:
        return Preset.THIS_MONTH


def _days(first: date, last: date) -> Mapping[str, str]:
    return {"from": first.isoformat(), "to": last.isoformat()}


def _run(given: Mapping[str, str], request: Request) -> Result:
    return catalogue.get(KEY).run(given, zone=organisation.zone(), now=request.now)


def _tabs(request: Request) -> list[tuple[str, str]]:
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


def _opener(given: Mapping[str, str]) -> presentation.Opener:
    base = reverse("reporting:records", args=[KEY])
    return lambda row, cell: f"{base}?{urlencode({**given, 'row': row, 'cell': cell})}"


def _numbers(view: presentation.View, result: Result, before: Result) -> list[dict[str, Any]]:
    """Each figure with how it differs from the stretch of the same length before."""
    former = {figure.column.key: figure.value for figure in before.figures}
    return [
        {"number": number, "delta": _delta(figure.value, former.get(figure.column.key))}
        for number, figure in zip(view.numbers, result.figures, strict=True)
    ]


def _delta(now: Any, before: Any) -> str:
    """The change in words; nothing where there is nothing to compare with."""
    if isinstance(now, Rate) or isinstance(before, Rate) or not before or now is None:
        return ""
    change = (now - before) / before
    return f"{'+' if change > 0 else ''}{formats.percent(change, 0)}" if change else _("as before")


def _steps(result: Result, given: Mapping[str, str]) -> list[Any]:
    found = next(table for table in result.tables if table.key == "steps")
    return presentation.bars(found, column="reached", note="from_previous", opens=_opener(given))
