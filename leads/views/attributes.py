"""Custom attributes: which each kind of record has, and what their values are."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from leads.forms.attributes import AttributeChangeForm, AttributeForm
from leads.forms.filters import AttributeFilter
from leads.selectors import attributes as reads
from leads.services import attributes
from smarketing.users.domain.roles import Capability
from smarketing.web import asks, lists
from smarketing.web.asks import Ask
from smarketing.web.lists import Empty
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast, redirect
from smarketing.web.tables import Column, TableSpec

ATTRIBUTES = TableSpec(
    id="attributes",
    caption=gettext_lazy("Custom attributes"),
    default_sort="subject",
    columns=(
        Column("label", gettext_lazy("Attribute"), sort="label"),
        Column("subject", gettext_lazy("Belongs to"), sort="subject"),
        Column("type", gettext_lazy("Type"), sort="type"),
        Column("choices", gettext_lazy("Choices")),
        Column("contact", gettext_lazy("Written")),
        Column("tools", gettext_lazy("Change"), label_hidden=True),
    ),
)
LIST = "leads:attributes"
MAY_DEFINE = Capability.EDIT_DEFINITION


@page(capability=Capability.VIEW)
def attribute_list(request: Request) -> HttpResponse:
    """All definitions, by kind of record."""
    return lists.render(
        request,
        "leads/attributes.html",
        spec=ATTRIBUTES,
        filterset=AttributeFilter(request.GET, queryset=reads.visible_to(request.user)),
        row="leads/_attribute_row.html",
        empty=Empty("tags", _("An attribute is a field of your own on people, companies, leads or deals.")),
        context={"may_define": request.user.may(MAY_DEFINE)},
    )


@page(capability=MAY_DEFINE, methods=["GET", "POST"])
def attribute_new(request: Request) -> HttpResponse:
    """Define an attribute."""
    form = AttributeForm(asks.given(request))
    address = reverse("leads:attribute_new")
    ask = Ask(_("New attribute"), address, reverse(LIST), form, _("Add the attribute"))

    def save(given: dict[str, Any]) -> HttpResponse:
        attributes.define(**given, actor=request.user, now=request.now)
        return redirect(request, LIST, toast=Toast(_("Attribute added."), "ok"))

    return asks.answer(request, ask, save)


@page(capability=MAY_DEFINE, methods=["GET", "POST"])
def attribute_edit(request: Request, pk: int) -> HttpResponse:
    """Change label, choices and whether it is written after contact."""
    known = get_object_or_404(reads.visible_to(request.user), pk=pk)
    initial = {
        "label": known.label,
        "choices": "\n".join(known.choices),
        "is_after_contact": known.is_after_contact,
    }
    form = AttributeChangeForm(asks.given(request), initial=initial)
    title = _("Edit %(label)s") % {"label": known.label}
    ask = Ask(title, reverse("leads:attribute_edit", args=[pk]), reverse(LIST), form, _("Save"))

    def save(given: dict[str, Any]) -> HttpResponse:
        attributes.define(
            subject=known.subject,
            key=known.key,
            type=known.type,
            **given,
            actor=request.user,
            now=request.now,
        )
        return redirect(request, LIST, toast=Toast(_("Saved."), "ok"))

    return asks.answer(request, ask, save)
