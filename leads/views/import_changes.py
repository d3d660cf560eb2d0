"""The records that an import has brought up to date, with what they were before."""

from __future__ import annotations

from functools import partial

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from leads import access
from leads.forms.filters import ChangeFilter
from leads.selectors import import_changes
from smarketing.users.domain.roles import Capability
from smarketing.web import lists
from smarketing.web.lists import Empty
from smarketing.web.pages import Request, page
from smarketing.web.tables import Column, TableSpec

CHANGES = TableSpec(
    id="import-changes",
    caption=gettext_lazy("Brought up to date"),
    default_sort="record",
    columns=(
        Column("record", gettext_lazy("Record"), sort="row_id"),
        Column("changed", gettext_lazy("What changed")),
    ),
)


@page(capability=Capability.IMPORT)
def change_list(request: Request, pk: int) -> HttpResponse:
    """One kind of record at a time, so that the index of the run's rows serves the order."""
    run = access.get_import(request.user, pk)
    tables = import_changes.tables_of(run)
    given = request.GET.copy()
    if given.get("table") not in tables and tables:
        given["table"] = tables[0]
    return lists.render(
        request,
        "leads/import_changes.html",
        spec=CHANGES,
        filterset=ChangeFilter(given, queryset=import_changes.of_run(run), tables=tables),
        row="leads/_import_change_row.html",
        empty=Empty("file-up", _("This import changed no person, lead or company that was there before.")),
        dress=partial(import_changes.dressed, request.user),
        context={
            "run": run,
            "crumbs": [
                (_("Imports"), reverse("leads:imports")),
                (run.file_name, reverse("leads:import", args=[pk])),
            ],
        },
    )
