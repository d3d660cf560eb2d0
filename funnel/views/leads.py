"""The leads list: everybody who showed interest, narrowed, sorted, exported, given to other owners."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from funnel import access
from funnel.forms.lead_actions import ManyMovesForm
from funnel.forms.lead_filters import LeadFilter
from funnel.forms.owners import ManyLeadsForm, OwnerForm
from funnel.models import LeadState
from funnel.selectors import definition_texts, lead_list, lead_rows
from funnel.selectors.lead_list import Row
from funnel.selectors.lead_rows import LeadRow
from funnel.services import exports as trace
from funnel.services import owner_undo, owners
from smarketing.core.errors import Invalid
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User
from smarketing.web import cells, exports, filters, lists, rendering
from smarketing.web.lists import Empty
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast
from smarketing.web.tables import Column, TableSpec

LIST = "leads"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = (
    Column("lead", gettext_lazy("Lead")),
    Column("stage", gettext_lazy("Stage")),
    Column("fit", gettext_lazy("Fit"), sort="fit"),
    Column("interest", gettext_lazy("Interest"), sort="heat"),
    Column("origin", gettext_lazy("Origin")),
)
_LAST = (
    Column("owner", gettext_lazy("Owner")),
    Column("captured", gettext_lazy("Captured"), sort="captured_at"),
)
EXPORTED = (
    "lead", "lap", "first_name", "last_name", "email", "phone", "title", "company", "country", "stage",
    "owner", "fit", "fit_band", "interest", "interest_band", "action", "origin", "channel", "campaign",
    "source", "external_id", "landing_page", "captured_at", "closed_at",
)  # fmt: skip


class NothingChosen(Invalid):
    """No lead or no owner was chosen."""

    code = "nothing_chosen"


@page(capability=Capability.VIEW)
def lead_page(request: Request) -> HttpResponse:
    """All leads, searched, filtered and sorted."""
    sort = request.GET.get("sort", "")
    may_import = request.user.may(Capability.EDIT_LEADS)
    empty = Empty(
        "users",
        _("Everybody who showed interest appears here: from forms, tracking, files, or typed in."),
        _("New lead") if may_import else "",
        reverse("leads:lead_new") if may_import else "",
    )
    return lists.render(
        request,
        "funnel/leads.html",
        spec=_spec(request.user),
        filterset=_filtered(request, sort),
        rows="funnel/_lead_rows.html",
        empty=empty,
        context={
            "may_edit": request.user.may(Capability.EDIT_LEADS),
            "may_own": request.user.may(Capability.CHANGE_OWNER),
            # Called where they are shown: the forms with a selection, the tooltip with a whole page.
            "owner_form": partial(OwnerForm, auto_id="bulk_%s"),
            "move_form": partial(ManyMovesForm, auto_id="bulk_%s"),
            "qualified": definition_texts.tooltip,
        },
        export_url=reverse("funnel:leads_export") if request.user.may(Capability.EXPORT) else "",
        bulk="funnel/_leads_bulk.html" if _may_select(request.user) else "",
        dress=lambda rows: _dressed(request, rows),
        note=_("In this order stand only people who have shown interest so far.")
        if sort.removeprefix("-") == lead_list.BY_INTEREST
        else "",
    )


@page(capability=Capability.EXPORT)
def export(request: Request) -> StreamingHttpResponse:
    """Exactly what the list is narrowed to, newest first, as a stream of CSV."""
    states = filters.rows(_filtered(request, ""))
    trace.record(what="leads", query=request.GET.urlencode(), actor=request.user, now=request.now)
    rows: Iterator[Row] = lead_list.exported(states, at=request.now)
    return exports.csv_response(
        name=f"leads-{request.now:%Y-%m-%d}", header=EXPORTED, rows=(_exported(row) for row in rows)
    )


@page(capability=Capability.CHANGE_OWNER, methods=["POST"])
def change_owner(request: Request) -> HttpResponse:
    """Give the selected leads to another owner; the toast takes it back."""
    form = ManyLeadsForm(request.POST)
    if not form.is_valid():
        raise NothingChosen(_("Select leads and choose who is to be responsible for them."))
    owner: User = form.cleaned_data["owner"]
    chosen = access.leads(request.user, form.cleaned_data["id"], capability=Capability.CHANGE_OWNER)
    made = owners.assign_many(leads=chosen, owner=owner, actor=request.user, now=request.now)
    text = ngettext("%(n)d lead now has the owner %(owner)s.", "%(n)d leads now have the owner %(owner)s.",
                    len(made)) % {"n": len(made), "owner": owner.name}  # fmt: skip
    toast = Toast(text, "ok", undo_url(owner, request.now) if made else "")
    query = request.POST.get("query", "")[:4000]
    return rendering.redirect(request, f"{reverse('funnel:leads')}?{query}", toast=toast)


@page(capability=Capability.CHANGE_OWNER, methods=["POST"])
def undo_owner(request: Request, pk: int, at: int) -> HttpResponse:
    """Take a change of owner back; ``at`` are microseconds since 1970."""
    when = _EPOCH + timedelta(microseconds=min(at, 2**53))
    owner = access.owner(request.user, pk)
    given_back = owner_undo.take_back(owner=owner, at=when, actor=request.user, now=request.now)
    text = ngettext("%(n)d lead was given back.", "%(n)d leads were given back.", given_back)
    toast = Toast(text % {"n": given_back}, "ok")
    here = request.htmx.current_url_abs_path or ""
    home = reverse("funnel:leads")
    if here.partition("?")[0] == home:
        return rendering.redirect(request, here, toast=toast)
    if not request.htmx:
        return rendering.redirect(request, home, toast=toast)
    return rendering.toast_only(request, toast, trigger="record-changed")


def undo_url(owner: User, now: datetime) -> str:
    """Where the change to ``owner`` at ``now`` is taken back."""
    at = (now - _EPOCH) // timedelta(microseconds=1)
    return reverse("funnel:owner_undo", args=[owner.pk, at])


def _filtered(request: Request, sort: str) -> LeadFilter:
    return LeadFilter(request.GET, request=request, queryset=lead_list.listed(request.user, sort=sort))


def _spec(viewer: User) -> TableSpec:
    added = [Column(c.name, c.label) for c in cells.columns(LIST)]
    return TableSpec(
        id=LIST,
        caption=gettext_lazy("Leads"),
        columns=(*_FIRST, *added, *_LAST),
        default_sort="-captured",
        selectable=_may_select(viewer),
    )


def _may_select(viewer: User) -> bool:
    return viewer.may(Capability.CHANGE_OWNER) or viewer.may(Capability.EDIT_LEADS)


def _dressed(request: Request, states: list[LeadState]) -> list[LeadRow]:
    keys = [s.pk for s in states]
    found = cells.fill(LIST, keys, viewer=request.user, now=request.now)
    return [row._replace(cells=found[row.pk]) for row in lead_rows.of_keys(keys, at=request.now)]


def _exported(row: Row) -> tuple[object, ...]:
    lead, person, score = row.lead, row.person, row.lead.score
    state: Any = row.state  # annotated with e-mail and phone
    return (
        row.pk, lead.lap, person.first_name, person.last_name, state.email, state.phone,
        person.title, row.company.name if row.company else "", person.country, row.stage.name,
        row.state.owner.name if row.state.owner else "", score.fit, score.fit_band,
        round(row.interest, 1), score.interest_band, score.action, lead.origin,
        lead.channel.name if lead.channel else "", lead.campaign.name if lead.campaign else "",
        lead.source.code, lead.external_id, lead.landing_page, lead.captured_at.isoformat(),
        lead.closed_at.isoformat() if lead.closed_at else "",
    )  # fmt: skip
