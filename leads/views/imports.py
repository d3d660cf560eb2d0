"""Imports: the list of runs, the upload of a file, the page of a run and what is asked of it."""

from __future__ import annotations

from django.http import FileResponse, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from leads import access
from leads.forms.filters import ImportFilter
from leads.forms.imports import UploadForm, field_label, kind_label
from leads.models import ImportRun, ImportState
from leads.models.imports import DUE
from leads.selectors import imports
from leads.services.imports import asking, files, kinds, uploads
from smarketing.core.errors import DomainError, Missing
from smarketing.users.domain.roles import Capability
from smarketing.web import asks, lists, once, panels, rendering
from smarketing.web.asks import Ask, AskForm
from smarketing.web.forms import refusals
from smarketing.web.lists import Empty
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast
from smarketing.web.tables import Column, TableSpec

IMPORTS = TableSpec(
    id="imports",
    caption=gettext_lazy("Imports"),
    default_sort="-brought",
    columns=(
        Column("file", gettext_lazy("File")),
        Column("state", gettext_lazy("State")),
        Column("created", gettext_lazy("New"), numeric=True),
        Column("updated", gettext_lazy("Changed"), numeric=True),
        Column("rejected", gettext_lazy("Refused"), numeric=True),
        Column("who", gettext_lazy("By")),
        Column("brought", gettext_lazy("Brought in"), sort="started_at"),
    ),
)
TONES = {
    ImportState.DONE: "ok",
    ImportState.FAILED: "bad",
    ImportState.CHECKING: "info",
    ImportState.WAITING: "info",
    ImportState.RUNNING: "info",
    ImportState.UNDOING: "info",
    ImportState.UNDONE: "warn",
}


@page(capability=Capability.IMPORT)
def import_list(request: Request) -> HttpResponse:
    """All runs, the newest first."""
    return lists.render(
        request,
        "leads/imports.html",
        spec=IMPORTS,
        filterset=ImportFilter(request.GET, queryset=imports.listed(request.user)),
        row="leads/_import_row.html",
        empty=Empty(
            "file-up",
            _("Bring people, leads, companies and deals in from files of other systems, and take them back."),
            _("Import a file"),
            reverse("leads:import_new"),
        ),
        dress=_dressed,
    )


@page(capability=Capability.IMPORT, methods=["GET", "POST"])
def import_new(request: Request) -> HttpResponse:
    """Step 1: a file arrives."""
    offered = kinds.open_to(user=request.user)
    given = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    form = UploadForm(*given, kinds=offered, initial={"kind": "leads"})
    if form.is_valid():
        if (address := once.begin(request)) is not None:
            return rendering.redirect(request, address or reverse("leads:imports"))
        file = form.cleaned_data["file"]
        try:
            run = uploads.receive(
                chunks=file.chunks(),
                file_name=file.name,
                kind=form.cleaned_data["kind"],
                source=form.cleaned_data["source"],
                actor=request.user,
                now=request.now,
            )
        except DomainError as error:
            once.failed(request)
            refusals.add_error(form, error)
        else:
            address = reverse("leads:import_file", args=[run.pk])
            once.done(request, address)
            return rendering.redirect(request, address)
    context = {"form": form, "sources": imports.sources(), "once": once.token(), "step": 1}
    return rendering.page(request, "leads/import_new.html", context, status=422 if form.errors else 200)


@page(capability=Capability.IMPORT)
def import_page(request: Request, pk: int) -> HttpResponse:
    """A run: what it waits for, how far it is, what came of it."""
    run = access.get_import(request.user, pk)
    actions = panels.build("import.actions", run, viewer=request.user, now=request.now)
    context = {**shown(run), "step": 5, "panels_actions": actions}
    return rendering.page(
        request, "leads/import.html", context, fragments={"import-run": "leads/_import_run.html"}
    )


@page(capability=Capability.IMPORT, methods=["POST"])
def import_check(request: Request, pk: int) -> HttpResponse:
    """Have a dry run made."""
    run = access.get_import(request.user, pk)
    asking.check(run=run, now=request.now)
    return rendering.redirect(request, reverse("leads:import_cells", args=[pk]))


@page(capability=Capability.IMPORT, methods=["POST"])
def import_start(request: Request, pk: int) -> HttpResponse:
    """Have the file taken in."""
    run = access.get_import(request.user, pk)
    kinds.check(name=run.kind, user=request.user)
    asking.start(run=run, actor=request.user, now=request.now)
    return rendering.redirect(request, reverse("leads:import", args=[pk]))


@page(capability=Capability.IMPORT, methods=["POST"])
def import_cancel(request: Request, pk: int) -> HttpResponse:
    """Stop a check or an import that is due or under way."""
    run = access.get_import(request.user, pk)
    asking.cancel(run=run, now=request.now)
    text = _("The import is being stopped; nothing of it is kept.")
    return rendering.redirect(request, reverse("leads:import", args=[pk]), toast=Toast(text))


@page(capability=Capability.IMPORT, methods=["GET", "POST"])
def import_undo(request: Request, pk: int) -> HttpResponse:
    """Take a whole import back."""
    run = access.get_import(request.user, pk)
    kinds.check(name=run.kind, user=request.user)
    ask = Ask(
        _("Take this import back?"),
        reverse("leads:import_undo", args=[pk]),
        reverse("leads:import", args=[pk]),
        AskForm(asks.given(request)),
        _("Take it back"),
        about=_(
            "What it made is removed, and what it changed gets its earlier values back. What somebody has"
            " worked on since stays, and is told of. Users can't sign in any more, but are kept."
        ),
        danger=True,
    )

    def save(_given: dict[str, object]) -> HttpResponse:
        asking.undo(run=run, actor=request.user, now=request.now)
        return rendering.redirect(request, reverse("leads:import", args=[pk]))

    return asks.answer(request, ask, save)


@page(capability=Capability.IMPORT, methods=["POST"])
def import_discard(request: Request, pk: int) -> HttpResponse:
    """Throw an upload away that was never taken in."""
    run = access.get_import(request.user, pk)
    asking.discard(run=run, actor=request.user, now=request.now)
    text = _("The upload and its file are gone.")
    return rendering.redirect(request, reverse("leads:imports"), toast=Toast(text, "ok"))


@page(capability=Capability.IMPORT)
def import_errors(request: Request, pk: int) -> FileResponse:
    """All faults of the last check or run as a CSV file that runs nothing in a spreadsheet."""
    run = access.get_import(request.user, pk)
    place = files.errors_of(name=run.stored_file) if run.stored_file and run.error_file else None
    if place is None or not place.is_file():
        raise Missing(_("There is no list of faults for this import, or its time was up."))
    response = FileResponse(
        place.open("rb"), as_attachment=True, filename=f"import-{run.pk}-faults.csv", content_type="text/csv"
    )
    response["X-Content-Type-Options"] = "nosniff"
    return response


def shown(run: ImportRun) -> dict[str, object]:
    """What the templates of one run need."""
    return {
        "run": run,
        "kind_label": kind_label(run.kind),
        "tone": TONES.get(ImportState(run.state), "plain"),
        "is_under_way": run.state in DUE,
        "is_open": run.state in uploads.OPEN,
        "may_undo": run.state == ImportState.DONE,
        "mapping": [
            (name, told(run.mapping[name])) for name in run.header or run.mapping if name in run.mapping
        ],
    }


def told(fields: str) -> str:
    """The fields of a column as they are called: "Id in the source, Id of the lead"."""
    return ", ".join(field_label(name) for name in fields.split(", "))


def _dressed(runs: list[ImportRun]) -> list[dict[str, object]]:
    return [shown(run) for run in runs]
