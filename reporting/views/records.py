"""The records behind a number, as a list."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from django_filters import FilterSet

from funnel.models import Handoff
from reporting.models import Journey
from reporting.reports.catalogue import Records
from smarketing.web import lists
from smarketing.web.lists import Empty
from smarketing.web.pages import Request
from smarketing.web.tables import Column, TableSpec

_LEAD_HEADS = (
    Column("lead", _("Lead")),
    Column("origin", _("Origin"), sort="origin"),
    Column("captured", _("Captured"), sort="captured_at"),
    Column("delivered", _("Delivered"), sort="delivered_at"),
    Column("won", _("Won"), sort="won_at"),
)
_DEAL_HEADS = (
    Column("name", _("Opportunity"), sort="name"),
    Column("company", _("Company")),
    Column("owner", _("Owner")),
    Column("stage", _("Stage")),
    Column("amount", _("Amount"), sort="amount", numeric=True),
    Column("closed", _("Closed"), sort="closed_at"),
)
_HANDOFF_HEADS = (
    Column("lead", _("Lead")),
    Column("owner", _("Owner")),
    Column("state", _("State")),
    Column("delivered", _("Delivered"), sort="delivered_at"),
    Column("answered", _("Answered"), sort="answered_at"),
)


class _All(FilterSet):
    """No filter: the records are already those of one number."""


def render(
    request: Request, records: Records, *, heading: str, crumbs: Sequence[tuple[str, str]]
) -> HttpResponse:
    """The list page for journeys, opportunities or handoffs."""
    if records.model is Journey:
        heads, row, sort = _LEAD_HEADS, "reporting/_journey_row.html", "-captured"
        records = records.select_related("lead", "person", "company")
    elif records.model is Handoff:
        heads, row, sort = _HANDOFF_HEADS, "reporting/_handoff_row.html", "-delivered"
        records = records.select_related("lead__person", "lead__company", "owner")
    else:
        heads, row, sort = _DEAL_HEADS, "reporting/_deal_row.html", "-closed"
        records = records.select_related("company", "owner", "stage")
    return lists.render(
        request,
        "reporting/records.html",
        spec=TableSpec(id="records", caption=heading, columns=heads, default_sort=sort),
        filterset=_All(request.GET, queryset=records),
        row=row,
        empty=Empty("list", _("Nothing is counted here.")),
        context={"heading": heading, "crumbs": crumbs},
    )
