"""Reports as pages: figures, tables, their export and the records behind every number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from reporting.domain import rendering as texts
from reporting.forms.report_params import ReportForm
from reporting.reports import catalogue
from reporting.reports.catalogue import Report
from reporting.views import presentation, records
from smarketing.core.errors import Invalid
from smarketing.users.domain.roles import Capability
from smarketing.users.selectors import organisation
from smarketing.web import rendering
from smarketing.web.exports import csv_response
from smarketing.web.pages import Request, page

_OWN = ("row", "cell", "cursor", "sort", "q")


@page(capability=Capability.VIEW)
def index(request: Request) -> HttpResponse:
    """Every report with what it answers."""
    return rendering.page(request, "reporting/index.html", {"reports": catalogue.all_reports()})


@page(capability=Capability.VIEW)
def report(request: Request, key: str) -> HttpResponse:
    """One report; wrong parameters are told beside their fields and change nothing else."""
    found = catalogue.get(key)
    given = _given(request)
    form = ReportForm(given or None, report=found)
    context: dict[str, Any] = {"report": found, "form": form}
    try:
        result = found.run(given, zone=organisation.zone(), now=request.now, viewer=request.user)
    except Invalid as error:
        for entry in error.errors:
            form.add_error(entry.field if entry.field in form.fields else None, entry.detail)
        return rendering.page(request, "reporting/report.html", context, status=422)
    context |= {"result": result, "view": presentation.of(result, opens=_opener(found, given))}
    context["export_url"] = f"{reverse('reporting:export', args=[key])}?{urlencode(given)}"
    return rendering.page(
        request, "reporting/report.html", context, fragments={"report": "reporting/_report.html"}
    )


@page(capability=Capability.EXPORT)
def export(request: Request, key: str) -> HttpResponse | StreamingHttpResponse:
    """The tables of a report as CSV: the same numbers as the page."""
    result = catalogue.get(key).run(
        _given(request), zone=organisation.zone(), now=request.now, viewer=request.user
    )
    return csv_response(name=key, header=[result.title], rows=texts.as_lines(result))


@page(capability=Capability.VIEW)
def behind(request: Request, key: str) -> HttpResponse:
    """The records that one number counts."""
    found = catalogue.get(key)
    row, cell = request.GET.get("row", "all"), request.GET.get("cell", "")
    zone = organisation.zone()
    counted = found.behind(_given(request), zone=zone, row=row, cell=cell, now=request.now)
    back = f"{reverse('reporting:report', args=[key])}?{urlencode(_given(request))}"
    crumbs = [(_("Reports"), reverse("reporting:reports")), (found.title(), back)]
    return records.render(request, counted, heading=_heading(row, cell), crumbs=crumbs)


def _given(request: Request) -> Mapping[str, str]:
    return {name: value for name, value in request.GET.dict().items() if value and name not in _OWN}


def _opener(found: Report, given: Mapping[str, str]) -> presentation.Opener:
    base = reverse("reporting:records", args=[found.key])
    return lambda row, cell: f"{base}?{urlencode({**given, 'row': row, 'cell': cell})}"


def _heading(row: str, cell: str) -> str:
    label = row.partition(":")[2] or row
    return f"{cell.replace('_', ' ').capitalize()} · {label}"
