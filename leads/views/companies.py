"""The list of companies and the page of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpResponse, HttpResponsePermanentRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from leads import access
from leads.forms.filters import CompanyFilter
from leads.forms.records import NewCompanyForm
from leads.models import Company
from leads.selectors import companies as company_rows
from leads.selectors import merges, people
from leads.services import companies
from leads.views import facts, timeline
from smarketing.core.errors import DomainError
from smarketing.users.domain.roles import Capability
from smarketing.web import cells, lists, panels, rendering
from smarketing.web.forms import refusals
from smarketing.web.lists import Empty
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast
from smarketing.web.tables import Column, Table, TableSpec

SUGGESTIONS = 12

COMPANIES = TableSpec(
    id="companies",
    caption=gettext_lazy("Companies"),
    default_sort="name",
    columns=(
        Column("name", gettext_lazy("Company"), sort="name"),
        Column("industry", gettext_lazy("Industry")),
        Column("country", gettext_lazy("Country")),
        Column("employees", gettext_lazy("Employees"), sort="employees", numeric=True),
        Column("people", gettext_lazy("People"), numeric=True),
        Column("leads", gettext_lazy("Open leads"), numeric=True),
        Column("created", gettext_lazy("Added"), sort="created_at", numeric=True),
    ),
)
PEOPLE = TableSpec(
    id="people",
    caption=gettext_lazy("People of this company"),
    default_sort="name",
    columns=(Column("name", gettext_lazy("Name"), sort="last_name"),),
)
_LAST_SIGN = Column("last", gettext_lazy("Last sign"))
COMPANY_PEOPLE = "company_people"


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of the company; ``cells`` are those of other apps."""

    person: Any
    cells: Sequence[Any]


@page(capability=Capability.VIEW)
def company_list(request: Request) -> HttpResponse:
    """All companies, searched, filtered and sorted."""
    filterset = CompanyFilter(request.GET, queryset=company_rows.listed(request.user))
    added = [Column(c.name, c.label) for c in cells.columns(COMPANIES.id)]
    empty = Empty(
        "building-2",
        _("Companies group the people you know. They come with leads, or you add them here."),
        _("Add a company"),
        reverse("leads:company_new"),
    )
    return lists.render(
        request,
        "leads/companies.html",
        spec=replace(COMPANIES, columns=(*COMPANIES.columns[:-1], *added, COMPANIES.columns[-1])),
        filterset=filterset,
        row="leads/_company_row.html",
        empty=empty,
        context={"may_edit": request.user.may(Capability.EDIT_LEADS)},
        dress=lambda rows: _dressed(request, rows),
    )


@page(capability=Capability.VIEW)
def company_page(request: Request, pk: int) -> HttpResponse:
    """A company, its people rolled up and its leads. Panels of ``company.main`` … get the company."""
    if (gone_into := merges.company_standing_for(pk)) is not None:
        return HttpResponsePermanentRedirect(reverse("leads:company", args=[gone_into.pk]))
    company = access.get_company(request.user, pk)
    table = _people(request, company)
    context = {
        "company": company,
        "company_facts": facts.rows("company", company, request.user),
        "table": table,
        "path": request.path,
        "panels_actions": panels.build("company.actions", company, viewer=request.user, now=request.now),
        "panels_main": panels.build("company.main", company, viewer=request.user, now=request.now),
        "panels_side": panels.build("company.side", company, viewer=request.user, now=request.now),
        **timeline.context(company, only=request.GET.get("only", ""), of=request.GET.get("of", "")),
    }
    parts = {"people-more": "leads/_people_rows.html", "list": "leads/_company_people.html"}
    return rendering.page(request, "leads/company.html", context, fragments=parts)


@page(capability=Capability.EDIT_LEADS, methods=["GET", "POST"])
def company_new(request: Request) -> HttpResponse:
    """Type in a company."""
    form = NewCompanyForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            company = companies.create(**form.cleaned_data, actor=request.user, now=request.now)
        except DomainError as error:
            refusals.add_error(form, error)
        else:
            return _to(request, company)
    status = 422 if form.errors else 200
    return rendering.page(request, "leads/company_new.html", {"form": form}, status=status)


@page(capability=Capability.VIEW)
def suggestions(request: Request) -> HttpResponse:
    """Names of companies that begin to match what is typed."""
    text = request.GET.get("company", "").strip()[:100]
    found = company_rows.found(request.user, text, limit=SUGGESTIONS) if text else []
    return rendering.fragment(request, "leads/_suggestions.html", {"names": [c.name for c in found]})


def _people(request: Request, company: Company) -> Table[Any]:
    """The people of the company with what other apps know of each; a fixed number of queries."""
    added = [Column(c.name, c.label) for c in cells.columns(COMPANY_PEOPLE)]
    spec = replace(PEOPLE, columns=(*PEOPLE.columns, *added, _LAST_SIGN))
    table: Table[Any] = spec.bind(people.of_company(request.user, company.pk), request.GET)
    found = cells.fill(COMPANY_PEOPLE, [p.pk for p in table.rows], viewer=request.user, now=request.now)
    return replace(table, rows=[Member(person, found[person.pk]) for person in table.rows])


def _dressed(request: Request, rows: list[Any]) -> list[Any]:
    """The companies of a page, each with the cells of other apps."""
    found = cells.fill(COMPANIES.id, [row.pk for row in rows], viewer=request.user, now=request.now)
    for row in rows:
        row.cells = found[row.pk]
    return rows


def _to(request: Request, company: Company) -> HttpResponse:
    address = reverse("leads:company", args=[company.pk])
    return rendering.redirect(request, address, toast=Toast(_("Company added."), tone="ok"))
