"""The steps between a file's arrival and its being taken in: how it is read, its columns, its bad cells."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from leads import access
from leads.forms.imports import CellForm, MappingForm, ReadingForm
from leads.models import ImportRun, ImportState
from leads.selectors import imports
from leads.services.imports import asking, kinds, previews, uploads
from leads.views.imports import shown
from smarketing.core.errors import DomainError, Invalid
from smarketing.users.domain.roles import Capability
from smarketing.web import rendering
from smarketing.web.forms import refusals
from smarketing.web.pages import Request, page


@page(capability=Capability.IMPORT, methods=["GET", "POST"])
def import_file(request: Request, pk: int) -> HttpResponse:
    """Step 2: how the file is read, with its first rows to judge by."""
    run = access.get_import(request.user, pk)
    if run.state not in uploads.OPEN:
        return rendering.redirect(request, reverse("leads:import", args=[pk]))
    form = ReadingForm(request.POST if request.method == "POST" else None, run=run)
    if form.is_valid():
        try:
            run = uploads.read_as(run=run, **form.chosen(), now=request.now)
        except DomainError as error:
            refusals.add_error(form, error)
        else:
            return rendering.redirect(request, reverse("leads:import_file", args=[pk]))
    context = {**shown(run), "form": form, "step": 2, "same": imports.same_file(run, request.user)}
    context |= _preview(run)
    return rendering.page(request, "leads/import_file.html", context, status=422 if form.errors else 200)


@page(capability=Capability.IMPORT, methods=["GET", "POST"])
def import_columns(request: Request, pk: int) -> HttpResponse:
    """Step 3: what each column is. The check begins at once."""
    run = access.get_import(request.user, pk)
    if run.state not in uploads.OPEN:
        return rendering.redirect(request, reverse("leads:import", args=[pk]))
    kind = kinds.get(name=run.kind)
    columns = previews.columns(run=run)
    initial = {name: run.choices.get(name) for name in ("key", "dates", "create_missing")}
    data = request.POST if request.method == "POST" else None
    form = MappingForm(data, kind=kind, columns=columns, initial=initial)
    if form.is_valid():
        try:
            run = uploads.map_columns(run=run, **form.chosen(), now=request.now)
            asking.check(run=run, now=request.now)
        except DomainError as error:
            refusals.add_error(form, error)
        else:
            return rendering.redirect(request, reverse("leads:import_cells", args=[pk]))
    context = {
        **shown(run),
        "form": form,
        "step": 3,
        "rows": [(column, form[f"column-{column.position}"]) for column in columns],
        "further": len([name for name in run.header if name]) - len(columns),
    }
    return rendering.page(request, "leads/import_columns.html", context, status=422 if form.errors else 200)


@page(capability=Capability.IMPORT)
def import_cells(request: Request, pk: int) -> HttpResponse:
    """Step 4: what the import would do, and the cells that can't be used, to be mended here."""
    run = access.get_import(request.user, pk)
    if run.state not in (*uploads.OPEN, ImportState.CHECKING):
        return rendering.redirect(request, reverse("leads:import", args=[pk]))
    context = {**shown(run), **_faults(run), "step": 4}
    return rendering.page(
        request,
        "leads/import_cells.html",
        context,
        fragments={"import-check": "leads/_import_check.html"},
    )


@page(capability=Capability.IMPORT, methods=["POST"])
def import_cell(request: Request, pk: int) -> HttpResponse:
    """Mend one cell, or leave its row out; htmx gets the line of that fault again."""
    run = access.get_import(request.user, pk)
    form = CellForm(request.POST)
    if not form.is_valid():
        raise Invalid(_("There is no such cell, or the text is too long."))
    given = form.cleaned_data
    row, position = given["row"], given["position"]
    if given["is_out"] is not None:
        run = uploads.leave_out(run=run, row=row, is_out=given["is_out"], now=request.now)
    elif position is not None:
        run = uploads.correct(run=run, row=row, position=position, text=given["text"], now=request.now)
    else:
        raise Invalid(_("There is no such cell, or the text is too long."))
    if not request.htmx:
        return rendering.redirect(request, reverse("leads:import_cells", args=[pk]) + f"#row-{row}")
    still = ""
    if position is not None and given["is_out"] is None:
        still = previews.verdict(run=run, position=position, text=given["text"], now=request.now)
    found = _faults(run)
    lines: list[dict[str, Any]] = found["faults"]
    told = {f"{row}:{position}": still}
    line = next((f for f in lines if (f["row"], f["position"]) == (row, position)), None)
    if line is None:
        raise Invalid(_("There is no such cell, or the text is too long."))
    line["reason"] = told[f"{row}:{position}"] or line["reason"]
    line["is_still_bad"] = bool(still)
    return rendering.fragment(request, "leads/_import_mended.html", {**shown(run), **found, "fault": line})


def _preview(run: ImportRun) -> dict[str, Any]:
    """The first rows; what can't be read is said above an empty table."""
    try:
        rows = previews.rows(run=run)
    except DomainError as error:
        return {"header": [], "rows": [], "unreadable": error.detail}
    return {"header": run.header[: previews.SHOWN_COLUMNS], "rows": rows, "unreadable": ""}


def _faults(run: ImportRun) -> dict[str, Any]:
    """The faults of the last check, with what was mended since."""
    report = run.check_report or {}
    cells = run.corrections.get("cells", {})
    without = set(run.corrections.get("without", ()))
    faults = []
    for fault in report.get("errors", []):
        mended = cells.get(f"{fault['row']}:{fault['position']}")
        is_mended = mended is not None and mended != fault["value"]
        faults.append(
            {
                **fault,
                "value": mended if mended is not None else fault["value"],
                "is_mended": is_mended,
                "is_out": fault["row"] in without,
                "is_still_bad": False,
            }
        )
    return {
        "report": run.check_report,
        "faults": faults,
        "changed": any(fault["is_mended"] or fault["is_out"] for fault in faults),
        "usable": sum(report.get(name, 0) for name in ("created", "updated", "unchanged")),
    }
