"""Pairs of records that may be one: the list, and "not the same"."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from leads import access
from leads.forms.duplicates import DuplicateFilter
from leads.models import Company, Duplicate, DuplicateState, Person
from leads.selectors import duplicates as reads
from leads.services import duplicates
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User
from smarketing.web import lists, rendering
from smarketing.web.lists import Empty
from smarketing.web.pages import Request, page
from smarketing.web.panels import Panel
from smarketing.web.rendering import Toast
from smarketing.web.tables import Column, TableSpec

LIST = "leads:duplicates"
DUPLICATES = TableSpec(
    id="duplicates",
    caption=gettext_lazy("Duplicates"),
    selectable=True,
    default_sort="-score",
    columns=(
        Column("left", gettext_lazy("One record")),
        Column("right", gettext_lazy("The other")),
        Column("evidence", gettext_lazy("What they have in common")),
        Column("score", gettext_lazy("Score"), sort="score", numeric=True),
        Column("state", gettext_lazy("How sure")),
        Column("tools", gettext_lazy("Decide"), label_hidden=True),
    ),
)


@page(capability=Capability.VIEW)
def duplicate_list(request: Request) -> HttpResponse:
    """Pairs that wait for a decision, the likeliest first."""
    given = request.GET.copy()
    given.setdefault("state", DuplicateState.OPEN)
    empty = Empty(
        "copy-check",
        _("People and companies that look alike are found as they come in, and shown here. None wait now."),
    )
    return lists.render(
        request,
        "leads/duplicates.html",
        spec=DUPLICATES,
        filterset=DuplicateFilter(given, queryset=reads.listed(request.user)),
        row="leads/_duplicate_row.html",
        empty=empty,
        dress=reads.dressed,
        bulk="leads/_duplicates_bulk.html" if request.user.may(Capability.MERGE_RECORDS) else "",
        context={"may_merge": request.user.may(Capability.MERGE_RECORDS)},
    )


@page(capability=Capability.MERGE_RECORDS, methods=["POST"])
def dismiss(request: Request, pk: int) -> HttpResponse:
    """The two are not the same; remembered, and taken back by the toast."""
    pair = access.get_duplicate(request.user, pk, capability=Capability.MERGE_RECORDS)
    duplicates.dismiss(pair=pair, actor=request.user, now=request.now)
    undo = reverse("leads:duplicate_again", args=[pk])
    return onward(request, pair, Toast(_("Remembered: not the same."), "ok", undo))


@page(capability=Capability.MERGE_RECORDS, methods=["POST"])
def ask_again(request: Request, pk: int) -> HttpResponse:
    """Take "not the same" back."""
    pair = access.get_duplicate(request.user, pk, capability=Capability.MERGE_RECORDS)
    duplicates.ask_again(pair=pair, actor=request.user, now=request.now)
    return onward(request, pair, Toast(_("Back in the list."), "ok"), stay=True)


def onward(request: Request, pair: Duplicate, toast: Toast, *, stay: bool = False) -> HttpResponse:
    """On to the next pair where somebody works through them; else to the list again."""
    if request.POST.get("next") and not stay:
        following = reads.next_open(request.user, after=pair)
        if following is not None:
            return rendering.redirect(request, reverse("leads:duplicate", args=[following.pk]), toast=toast)
    return rendering.redirect(request, LIST, toast=toast)


def of_person(person: Person, *, viewer: User, now: datetime) -> Panel | None:
    """Who looks like this person."""
    return _panel(reads.open_of_person(viewer, person.pk), person.pk)


def of_company(company: Company, *, viewer: User, now: datetime) -> Panel | None:
    """Which company looks like this one."""
    return _panel(reads.open_of_company(viewer, company.pk), company.pk)


def _panel(found: list[Duplicate], pk: int) -> Panel | None:
    if not found:
        return None
    rows = [reads.dress(pair, seen_from=pk) for pair in found]
    return Panel("leads/_looks_like.html", {"rows": rows}, title=_("Looks like …"), id="looks-like")
