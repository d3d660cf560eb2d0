"""Addresses with which the building blocks are tested: one list of users, and refusals."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import include, path

from smarketing.core.errors import Conflict, FieldError, Invalid
from smarketing.users.domain.roles import Capability
from smarketing.users.models import RoleChoices, User
from smarketing.web import lists
from smarketing.web.lists import Empty
from smarketing.web.pages import Request, page
from smarketing.web.tables import Column, TableSpec

COLLEAGUES = TableSpec(
    id="colleagues",
    caption="Colleagues",
    columns=(
        Column("name", "Name", sort="name"),
        Column("mail", "Mail", sort="email"),
        Column("region", "Region"),
    ),
    default_sort="name",
    selectable=True,
    page_size=3,
)


class ColleagueFilter(django_filters.FilterSet):
    """Search by name, filter by roles and day."""

    q = django_filters.CharFilter(label="Search", field_name="name", lookup_expr="icontains")
    role = django_filters.MultipleChoiceFilter(label="Role", choices=RoleChoices.choices)
    made = django_filters.DateFromToRangeFilter(label="Made", field_name="created_at")

    class Meta:
        model = User
        fields: list[str] = []


def colleagues() -> QuerySet[User]:
    """Everybody but admins."""
    return User.objects.get_queryset().exclude(role="admin")


@page(capability=Capability.VIEW)
def colleague_list(request: Request) -> HttpResponse:
    """A list page."""
    return lists.render(
        request,
        "web/styleguide_list.html",
        spec=COLLEAGUES,
        filterset=ColleagueFilter(request.GET, queryset=colleagues()),
        row="web/_styleguide_person_row.html",
        empty=Empty("users", "Nobody works here yet.", "Add somebody", "/add"),
        export_url="/export",
        bulk="web/_styleguide_bulk.html",
    )


@page(capability=Capability.MANAGE_USERS, methods=["GET", "POST"])
def for_admins(request: Request) -> HttpResponse:
    """A page only an admin may open."""
    return HttpResponse("yes")


@page(capability=Capability.VIEW, methods=["GET", "POST"])
def refuses(request: Request) -> HttpResponse:
    """Raises what a service raises."""
    if request.GET.get("kind") == "fields":
        raise Invalid("No.", errors=[FieldError("name", "required", "Write a name.")])
    if request.GET.get("kind") == "fault":
        raise RuntimeError("a fault of ours")
    raise Conflict("It is closed already.")


urlpatterns = [
    path("colleagues", colleague_list, name="colleagues"),
    path("for-admins", for_admins),
    path("refuses", refuses),
    path("", include("smarketing.urls")),
]
handler404 = "smarketing.web.errors.missing"
handler500 = "smarketing.web.errors.fault"
