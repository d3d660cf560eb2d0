"""The hottest people now, those who came back after cooling, and the hottest companies."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from funnel.forms.hot import HotCompanyFilter, HotFilter
from funnel.selectors import hot
from leads.models import Company
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User
from smarketing.web import lists
from smarketing.web.lists import Empty
from smarketing.web.pages import Request, page
from smarketing.web.panels import Panel
from smarketing.web.tables import Column, TableSpec

_COLUMNS = (
    Column("person", gettext_lazy("Person")),
    Column("lap", gettext_lazy("Where they stand")),
    Column("owner", gettext_lazy("Owner")),
)
HOT = TableSpec(
    id="hot",
    caption=gettext_lazy("Hottest now"),
    default_sort="-interest",
    columns=(*_COLUMNS, Column("interest", gettext_lazy("Interest"), sort="key", numeric=True)),
)
REHEATED = TableSpec(
    id="reheated",
    caption=gettext_lazy("Back after cooling"),
    default_sort="-back",
    columns=(
        *_COLUMNS,
        Column("interest", gettext_lazy("Interest"), numeric=True),
        Column("back", gettext_lazy("Came back"), sort="reheated_at", numeric=True),
    ),
)
COMPANIES = TableSpec(
    id="hot_companies",
    caption=gettext_lazy("Hottest companies"),
    default_sort="-interest",
    columns=(
        Column("company", gettext_lazy("Company")),
        Column("people", gettext_lazy("Interested people"), numeric=True),
        Column("fit", gettext_lazy("Best fit")),
        Column("interest", gettext_lazy("Interest"), sort="key", numeric=True),
    ),
)


@page(capability=Capability.VIEW)
def hot_list(request: Request) -> HttpResponse:
    """Who shows most interest now."""
    return lists.render(
        request,
        "funnel/hot.html",
        spec=HOT,
        filterset=HotFilter(request.GET, queryset=hot.hottest(request.user, at=request.now)),
        row="funnel/_hot_row.html",
        empty=Empty("flame", _("Whoever shows enough interest to reach a band stands here, hottest first.")),
        context={"tabs": _tabs(), "sub": _("By what they did, as it counts now; older behaviour fades")},
    )


@page(capability=Capability.VIEW)
def reheat_list(request: Request) -> HttpResponse:
    """Who came back in the last thirty days after their interest had cooled."""
    return lists.render(
        request,
        "funnel/hot.html",
        spec=REHEATED,
        filterset=HotFilter(request.GET, queryset=hot.reheated(request.user, at=request.now)),
        row="funnel/_hot_row.html",
        empty=Empty(
            "flame-kindling",
            _("People whose interest had cooled and who came back in the last 30 days stand here."),
        ),
        context={"tabs": _tabs(), "is_reheated": True, "sub": _("They had cooled, and came back lately")},
    )


@page(capability=Capability.VIEW)
def company_list(request: Request) -> HttpResponse:
    """Companies by the interest of their people."""
    return lists.render(
        request,
        "funnel/hot.html",
        spec=COMPANIES,
        filterset=HotCompanyFilter(request.GET, queryset=hot.companies(request.user, at=request.now)),
        row="funnel/_hot_company_row.html",
        empty=Empty("building-2", _("A company is as interested as its people together.")),
        context={"tabs": _tabs(), "sub": _("The interest of a company is that of its people together")},
    )


def company_panel(company: Company, *, viewer: User, now: datetime) -> Panel | None:
    """What makes the interest of a company."""
    score = hot.of_company(viewer, company, at=now)
    if score is None:
        return None
    return Panel("funnel/_company_score.html", {"score": score}, title=_("Interest"), id="company-score")


def _tabs() -> list[tuple[str, str]]:
    return [
        (_("Hottest now"), reverse("funnel:hot")),
        (_("Back after cooling"), reverse("funnel:reheated")),
        (_("Companies"), reverse("funnel:hot_companies")),
    ]
