"""What stands beside the clauses of a version: roles, links, words, plan, its day, and its discussion."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from sla import access
from sla.forms.agreements import AnnexForms, CommentForm, EffectiveForm
from sla.selectors import agreements as read
from sla.services import agreement_comments, agreements
from sla.views.agreements import clause_choices, show_version
from smarketing.core.errors import DomainError
from smarketing.users.domain.roles import Capability
from smarketing.web import rendering
from smarketing.web.forms import refusals
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast


@page(capability=Capability.EDIT_AGREEMENT, methods=["GET", "POST"])
def annex(request: Request, number: int) -> HttpResponse:
    """Change roles, links, words and plan of a draft or proposal; that clears its signatures."""
    found = access.agreement_version(request.user, number)
    if found.state not in read.OPEN_STATES:
        raise agreements.NotEditable(_("What is in force is not edited. Draft a new version."))
    forms = AnnexForms(found.annex, data=request.POST if request.method == "POST" else None)
    if request.method == "POST" and forms.is_valid():
        try:
            agreements.update(version=found, annex=forms.document(), actor=request.user, now=request.now)
        except DomainError as error:
            forms.refuse(error)
        else:
            return _back(request, number, Toast(_("Saved."), "ok"))
    status = 422 if request.method == "POST" else 200
    context = {"version": found, "cards": forms.cards()}
    return rendering.page(request, "sla/agreement_annex.html", context, status=status)


@page(capability=Capability.EDIT_AGREEMENT, methods=["POST"])
def effective(request: Request, number: int) -> HttpResponse:
    """Say from which day a draft or proposal is to hold; that clears its signatures."""
    found = access.agreement_version(request.user, number)
    form = EffectiveForm(request.POST)
    if form.is_valid():
        try:
            agreements.update(
                version=found,
                effective_on=form.cleaned_data["effective_on"],
                actor=request.user,
                now=request.now,
            )
        except DomainError as error:
            refusals.add_error(form, error)
        else:
            return _back(request, number, Toast(_("Saved."), "ok"))
    return show_version(request, found, day=form, status=422)


@page(capability=Capability.LOG_ACTIVITY, methods=["POST"])
def comment(request: Request, number: int) -> HttpResponse:
    """Say something about a version or one of its clauses."""
    found = access.agreement_version(request.user, number)
    form = CommentForm(request.POST, clauses=clause_choices(found))
    if form.is_valid():
        try:
            agreement_comments.add(
                version=found,
                text=form.cleaned_data["text"],
                position=form.cleaned_data["position"],
                author=request.user,
                now=request.now,
            )
        except DomainError as error:
            refusals.add_error(form, error)
        else:
            return _back(request, number, Toast(_("Said."), "ok"))
    return show_version(request, found, form=form, status=422)


def _back(request: Request, number: int, toast: Toast) -> HttpResponse:
    return rendering.redirect(request, reverse("sla:agreement_version", args=[number]), toast=toast)
