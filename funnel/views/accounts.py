"""The journey of a company on its page, and all companies by where they stand."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from funnel.forms.accounts import AccountFilter
from funnel.selectors import accounts, company_cells
from leads.models import Company
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User
from smarketing.web import lists
from smarketing.web.cells import Added
from smarketing.web.lists import Empty
from smarketing.web.pages import Request, page
from smarketing.web.panels import Panel
from smarketing.web.tables import Column, TableSpec

SHOWN = 12
# What the list of companies shows of each beside what leads knows.
COLUMNS = (
    Added("stage", gettext_lazy("Stage"), company_cells.stages, "funnel/_company_stage_cell.html", order=10),
    Added(
        "interest",
        gettext_lazy("Interest"),
        company_cells.interests,
        "funnel/_company_interest_cell.html",
        order=20,
    ),
)
ACCOUNTS = TableSpec(
    id="accounts",
    caption=gettext_lazy("Companies by stage"),
    default_sort="-since",
    columns=(
        Column("company", gettext_lazy("Company")),
        Column("stage", gettext_lazy("Where they stand")),
        Column("high_water", gettext_lazy("Furthest")),
        Column("since", gettext_lazy("Since"), sort="entered_at", numeric=True),
    ),
)


@page(capability=Capability.VIEW)
def account_list(request: Request) -> HttpResponse:
    """Companies by where they stand, the latest step first."""
    return lists.render(
        request,
        "funnel/accounts.html",
        spec=ACCOUNTS,
        filterset=AccountFilter(request.GET, queryset=accounts.listed(request.user)),
        row="funnel/_account_row.html",
        empty=Empty(
            "building-2",
            _("A company stands where its furthest open lead stands. Capture a lead of one of its people."),
        ),
        context={"sub": _("A company stands where the furthest of its open leads and deals stands")},
    )


def journey_panel(company: Company, *, viewer: User, now: datetime) -> Panel | None:
    """Where the company stands, and how it came there."""
    if not viewer.may(Capability.VIEW):
        return None
    steps = accounts.journey(company)
    if not steps:
        return None
    context = {"now": steps[0], "steps": steps[:SHOWN], "more": len(steps) - SHOWN}
    return Panel("funnel/_account_journey.html", context, title=_("Journey"), id="company-journey")
