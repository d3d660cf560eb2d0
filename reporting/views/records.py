"""The records behind a number, as a list."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Model
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from django_filters import FilterSet

from funnel.models import Handoff, Opportunity
from leads.models import Person, Session, Visitor
from reporting.models import Journey
from reporting.reports.catalogue import Records
from smarketing.web import lists
from smarketing.web.lists import Empty
from smarketing.web.pages import Request
from smarketing.web.tables import Column, TableSpec

_LEADS = TableSpec(
    id="records",
    caption=_("Leads"),
    default_sort="-captured",
    columns=(
        Column("lead", _("Lead")),
        Column("origin", _("Origin"), sort="origin"),
        Column("captured", _("Captured"), sort="captured_at"),
        Column("delivered", _("Delivered"), sort="delivered_at"),
        Column("won", _("Won"), sort="won_at"),
    ),
)
_DEALS = TableSpec(
    id="records",
    caption=_("Opportunities"),
    default_sort="-closed",
    columns=(
        Column("name", _("Opportunity"), sort="name"),
        Column("company", _("Company")),
        Column("owner", _("Owner")),
        Column("stage", _("Stage")),
        Column("amount", _("Amount"), sort="amount", numeric=True),
        Column("closed", _("Closed"), sort="closed_at"),
    ),
)
_HANDOFFS = TableSpec(
    id="records",
    caption=_("Handoffs"),
    default_sort="-delivered",
    columns=(
        Column("lead", _("Lead")),
        Column("owner", _("Owner")),
        Column("state", _("State")),
        Column("delivered", _("Delivered"), sort="delivered_at"),
        Column("answered", _("Answered"), sort="answered_at"),
    ),
)
_VISITORS = TableSpec(
    id="records",
    caption=_("Visitors"),
    default_sort="-first",
    columns=(
        Column("who", _("Who")),
        Column("first", _("First seen"), sort="first_seen_at"),
        Column("last", _("Last seen"), sort="last_seen_at"),
    ),
)
_SESSIONS = TableSpec(
    id="records",
    caption=_("Sessions"),
    default_sort="-began",
    columns=(
        Column("who", _("Who")),
        Column("began", _("Began"), sort="started_at"),
        Column("channel", _("Channel")),
        Column("entry", _("First page")),
        Column("pages", _("Pages"), numeric=True),
    ),
)
_PEOPLE = TableSpec(
    id="records",
    caption=_("People"),
    default_sort="name",
    columns=(
        Column("name", _("Name"), sort="last_name"),
        Column("company", _("Company")),
    ),
)
# For each kind of record: its columns, the template of a row, what the row reads.
_SHAPES: dict[type[Model], tuple[TableSpec, str, tuple[str, ...]]] = {
    Journey: (_LEADS, "reporting/_journey_row.html", ("lead", "person", "company")),
    Handoff: (_HANDOFFS, "reporting/_handoff_row.html", ("lead__person", "lead__company", "owner")),
    Visitor: (_VISITORS, "reporting/_visitor_row.html", ("person__company", "source")),
    Session: (_SESSIONS, "reporting/_session_row.html", ("person__company", "channel")),
    Person: (_PEOPLE, "reporting/_person_row.html", ("company",)),
    Opportunity: (_DEALS, "reporting/_deal_row.html", ("company", "owner", "stage")),
}


class _All(FilterSet):
    """No filter: the records are already those of one number."""


def render(
    request: Request, records: Records, *, heading: str, crumbs: Sequence[tuple[str, str]]
) -> HttpResponse:
    """The list page for journeys, opportunities or handoffs."""
    spec, row, related = _SHAPES[records.model]
    return lists.render(
        request,
        "reporting/records.html",
        spec=spec,
        filterset=_All(request.GET, queryset=records.select_related(*related)),
        row=row,
        empty=Empty("list", _("Nothing is counted here.")),
        context={"heading": heading, "crumbs": crumbs},
    )
