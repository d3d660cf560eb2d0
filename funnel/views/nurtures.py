"""Nurture: the list of who is kept warm, changing one, bringing one back, and the organisation's rule."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from funnel import access
from funnel.forms.nurtures import NurtureFilter, NurtureForm, NurtureRuleForm
from funnel.selectors import nurtures as reads
from funnel.services import nurture_returns, nurtures
from smarketing.core.errors import DomainError
from smarketing.users.domain.roles import Capability
from smarketing.web import asks, lists, rendering
from smarketing.web.asks import Ask
from smarketing.web.forms import refusals
from smarketing.web.lists import Empty
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast
from smarketing.web.tables import Column, TableSpec

NURTURES = TableSpec(
    id="nurtures",
    caption=gettext_lazy("Kept warm"),
    default_sort="-began",
    columns=(
        Column("lead", gettext_lazy("Lead")),
        Column("owner", gettext_lazy("Owner")),
        Column("reason", gettext_lazy("Reason")),
        Column("rule", gettext_lazy("Comes back")),
        Column("began", gettext_lazy("Since"), sort="began_at", numeric=True),
    ),
)


@page(capability=Capability.VIEW)
def nurture_list(request: Request) -> HttpResponse:
    """Who is kept warm, newest first."""
    return lists.render(
        request,
        "funnel/nurtures.html",
        spec=NURTURES,
        filterset=NurtureFilter(request.GET, queryset=reads.listed(request.user)),
        row="funnel/_nurture_row.html",
        empty=Empty(
            "sprout",
            _("Leads that fit and show little interest, or that sales returned as not ready, are kept warm."),
        ),
        context={"may_set_rule": request.user.may(Capability.EDIT_DEFINITION), "rule": reads.rule()},
    )


@page(capability=Capability.DELIVER, methods=["GET", "POST"])
def nurture_edit(request: Request, pk: int) -> HttpResponse:
    """Change whose it is, why, and what brings the lead back."""
    nurture = access.nurture(request.user, pk, capability=Capability.DELIVER)
    back = reverse("leads:lead", args=[pk])
    form = NurtureForm(asks.given(request), initial=NurtureForm.initial_of(nurture))
    ask = Ask(_("Keep warm"), reverse("funnel:nurture_edit", args=[pk]), back, form, _("Save"))

    def save(given: dict[str, Any]) -> HttpResponse:
        nurtures.change(
            nurture=nurture,
            changes=form.changes(),
            actor=request.user,
            now=request.now,
            expected_version=given["version"],
        )
        return rendering.redirect(request, back, toast=Toast(_("Saved."), "ok"))

    return asks.answer(request, ask, save)


@page(capability=Capability.DELIVER, methods=["POST"])
def nurture_return(request: Request, pk: int) -> HttpResponse:
    """Somebody is ready: bring the lead back now."""
    nurture = access.nurture(request.user, pk, capability=Capability.DELIVER)
    lead = nurture_returns.bring_back(nurture=nurture, actor=request.user, now=request.now)
    text = _("Back as a lead.") if lead.pk == pk else _("Back as lap %(lap)s.") % {"lap": lead.lap}
    return rendering.redirect(request, reverse("leads:lead", args=[lead.pk]), toast=Toast(text, "ok"))


@page(capability=Capability.EDIT_DEFINITION, methods=["GET", "POST"])
def nurture_rule(request: Request) -> HttpResponse:
    """How the organisation keeps leads warm."""
    form = NurtureRuleForm(request.POST) if request.method == "POST" else NurtureRuleForm.filled(reads.rule())
    if form.is_bound and form.is_valid():
        given = dict(form.cleaned_data)
        version = given.pop("version")
        try:
            nurtures.set_rule(changes=given, actor=request.user, now=request.now, expected_version=version)
        except DomainError as error:
            refusals.add_error(form, error)
        else:
            return rendering.redirect(request, "funnel:nurtures", toast=Toast(_("Saved."), "ok"))
    context = {
        "form": form,
        "title": _("How leads are kept warm"),
        "sub": _("For everybody who goes to nurture from now on."),
        "back": reverse("funnel:nurtures"),
    }
    return rendering.page(request, "funnel/setting.html", context, status=422 if form.errors else 200)
