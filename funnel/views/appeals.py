"""Appeals against returns: the list, one appeal with both sides' words, contesting and ruling."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from funnel import access
from funnel.forms.appeals import AppealFilter, AppealForm, RulingForm
from funnel.models import Appeal, Ruling
from funnel.selectors import appeals as reads
from funnel.services import appeals
from smarketing.users.domain.roles import Capability
from smarketing.web import asks, lists, rendering
from smarketing.web.asks import Ask
from smarketing.web.lists import Empty
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast
from smarketing.web.tables import Column, TableSpec

APPEALS = TableSpec(
    id="appeals",
    caption=gettext_lazy("Appeals"),
    default_sort="-created",
    columns=(
        Column("lead", gettext_lazy("Lead")),
        Column("reason", gettext_lazy("Returned as")),
        Column("evidence", gettext_lazy("Marketing says")),
        Column("arbiter", gettext_lazy("Ruled by")),
        Column("state", gettext_lazy("State")),
        Column("created", gettext_lazy("Since"), sort="created_at", numeric=True),
    ),
)


@page(capability=Capability.VIEW)
def appeal_list(request: Request) -> HttpResponse:
    """Every contested return."""
    return lists.render(
        request,
        "funnel/appeals.html",
        spec=APPEALS,
        filterset=AppealFilter(request.GET, queryset=reads.listed(request.user)),
        row="funnel/_appeal_row.html",
        empty=Empty("scale", _("A return that marketing contests stands here, with its ruling.")),
    )


@page(capability=Capability.VIEW)
def appeal_page(request: Request, pk: int) -> HttpResponse:
    """What sales said, what marketing says, and the ruling."""
    found = access.appeal(request.user, pk)
    context = {"appeal": found, "may_rule": found.ruled_at is None and reads.is_judge(found, request.user)}
    return rendering.page(request, "funnel/appeal.html", context)


@page(capability=Capability.APPEAL_RETURNS, methods=["GET", "POST"])
def new(request: Request, pk: int) -> HttpResponse:
    """Contest a return."""
    handoff = access.handoff(request.user, pk)
    back = reverse("leads:lead", args=[handoff.lead_id])
    url = reverse("funnel:handoff_appeal", args=[pk])
    about = _("“%(reason)s” by %(name)s.") % {
        "reason": handoff.get_return_reason_display(),
        "name": handoff.answered_by or handoff.owner,
    }
    ask = Ask(_("Appeal against the return"), url, back, AppealForm(asks.given(request)), _("Appeal"), about)

    def save(given: dict[str, Any]) -> HttpResponse:
        made = appeals.appeal(handoff=handoff, **given, actor=request.user, now=request.now)
        who = made.arbiter.name if made.arbiter else _("A manager")
        return rendering.redirect(request, back, toast=Toast(_("%(who)s rules on it.") % {"who": who}, "ok"))

    return asks.answer(request, ask, save)


@page(capability=Capability.RULE_APPEALS, methods=["GET", "POST"])
def rule(request: Request, pk: int) -> HttpResponse:
    """Uphold or overturn, and say why."""
    found = access.appeal(request.user, pk)
    back = reverse("funnel:appeal", args=[pk])
    form = RulingForm(asks.given(request), initial={"version": found.version})
    about = _("Overturned, it counts as delivered and goes to another rep. Upheld, it does not count.")
    ask = Ask(_("Rule on the appeal"), reverse("funnel:appeal_rule", args=[pk]), back, form, _("Rule"), about)

    def save(given: dict[str, Any]) -> HttpResponse:
        version = given.pop("version")
        ruled = appeals.rule(
            appeal=found, **given, actor=request.user, now=request.now, expected_version=version
        )
        return rendering.redirect(request, back, toast=Toast(_said(ruled), "ok"))

    return asks.answer(request, ask, save)


def _said(ruled: Appeal) -> str:
    return (
        _("Overturned: it counts.") if ruled.ruling == Ruling.OVERTURNED else _("Upheld: the return stands.")
    )
