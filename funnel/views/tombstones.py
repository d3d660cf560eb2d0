"""Who is never delivered again: the list, one tombstone, adding and lifting."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from funnel import access
from funnel.forms.tombstones import LiftForm, TombstoneFilter, TombstoneForm
from funnel.selectors import tombstones as reads
from funnel.services import tombstones
from leads.models import Company, Person
from smarketing.users.domain.roles import Capability
from smarketing.web import asks, lists, query, rendering
from smarketing.web.asks import Ask
from smarketing.web.lists import Empty
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast
from smarketing.web.tables import Column, TableSpec

LIST = "funnel:tombstones"
HITS = 50
TOMBSTONES = TableSpec(
    id="tombstones",
    caption=gettext_lazy("Never delivered again"),
    default_sort="-created",
    columns=(
        Column("label", gettext_lazy("Who"), sort="label"),
        Column("scope", gettext_lazy("Refuses")),
        Column("reason", gettext_lazy("Why")),
        Column("author", gettext_lazy("By")),
        Column("state", gettext_lazy("Holds")),
        Column("blocked", gettext_lazy("Kept out"), numeric=True),
        Column("created", gettext_lazy("Since"), sort="created_at", numeric=True),
    ),
)


@page(capability=Capability.VIEW)
def tombstone_list(request: Request) -> HttpResponse:
    """Every refusal, searched by name, address, number or domain."""
    blocked = reads.blocked()
    note = _("%(leads)s leads were kept from being delivered again (%(times)s times).") % {
        "leads": blocked.leads,
        "times": blocked.times,
    }
    return lists.render(
        request,
        "funnel/tombstones.html",
        spec=TOMBSTONES,
        filterset=TombstoneFilter(request.GET, queryset=reads.listed(request.user)),
        row="funnel/_tombstone_row.html",
        empty=Empty(
            "shield-ban", _("Whoever is disqualified is written here and never delivered again by any inlet.")
        ),
        context={"may_add": request.user.may(Capability.EDIT_LEADS), "now": request.now},
        note=note,
    )


@page(capability=Capability.VIEW)
def tombstone_page(request: Request, pk: int) -> HttpResponse:
    """One refusal: whom it recognises, what lets them in, and what it has met."""
    tombstone = access.tombstone(request.user, pk)
    context = {
        "tombstone": tombstone,
        "holds": tombstone.holds(request.now),
        "hits": reads.hits_of(tombstone, limit=HITS),
        "may_lift": request.user.may(Capability.LIFT_TOMBSTONES) and tombstone.lifted_at is None,
    }
    return rendering.page(request, "funnel/tombstone.html", context)


@page(capability=Capability.EDIT_LEADS, methods=["GET", "POST"])
def tombstone_new(request: Request) -> HttpResponse:
    """Refuse somebody by hand; ``person`` or ``company`` in the address says whose page it came from."""
    person, company = _about(request)
    back = _page_of(person, company)
    initial = {"scope": "company" if company else "person", "reason": "other", "reopen": "never"}
    form = TombstoneForm(asks.given(request), initial=initial)
    about = _("Nothing new is delivered. Handoffs that wait for an answer stay with their rep.")
    title = _("Never deliver %(who)s again") % {"who": person or company or _("somebody")}
    ask = Ask(title, request.get_full_path(), back, form, _("Write the tombstone"), about, danger=True)

    def save(given: dict[str, Any]) -> HttpResponse:
        tombstones.add(**form.given(), person=person, company=company, actor=request.user, now=request.now)
        return rendering.redirect(request, back, toast=Toast(_("They are never delivered again."), "ok"))

    return asks.answer(request, ask, save)


@page(capability=Capability.LIFT_TOMBSTONES, methods=["GET", "POST"])
def tombstone_lift(request: Request, pk: int) -> HttpResponse:
    """Let them in again, and say why."""
    tombstone = access.tombstone(request.user, pk, capability=Capability.LIFT_TOMBSTONES)
    address = reverse("funnel:tombstone", args=[pk])
    form = LiftForm(asks.given(request))
    url = reverse("funnel:tombstone_lift", args=[pk])
    ask = Ask(_("Lift the tombstone"), url, address, form, _("Lift it"))

    def save(given: dict[str, Any]) -> HttpResponse:
        tombstones.lift(tombstone=tombstone, **given, actor=request.user, now=request.now)
        return rendering.redirect(request, address, toast=Toast(_("They may be delivered again."), "ok"))

    return asks.answer(request, ask, save)


def _about(request: Request) -> tuple[Person | None, Company | None]:
    """Whose page the question came from, as far as the user may see them."""
    person, company = (query.key(request.GET.get(name, "")) for name in ("person", "company"))
    return (
        access.person(request.user, person) if person is not None else None,
        access.company(request.user, company) if company is not None else None,
    )


def _page_of(person: Person | None, company: Company | None) -> str:
    if person is not None:
        return reverse("leads:person", args=[person.pk])
    return reverse("leads:company", args=[company.pk]) if company is not None else reverse(LIST)
