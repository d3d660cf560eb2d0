"""The page of the predictive likelihood: the model in use, what it was judged by, what it may learn from."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from funnel import access
from funnel.forms.likelihoods import RulingForm
from funnel.models import LikelihoodModel
from funnel.selectors import likelihoods as told
from funnel.services import likelihoods, training_runs
from smarketing.core.errors import DomainError
from smarketing.users.domain.roles import Capability
from smarketing.web import rendering
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast

SHOWN = 40


@page(capability=Capability.VIEW)
def likelihood_page(request: Request) -> HttpResponse:
    """The model in use with its card; challengers; trainings."""
    champion = told.champion()
    may_edit = request.user.may(Capability.EDIT_DEFINITION)
    context: dict[str, Any] = {
        "champion": champion,
        "challengers": [_compared(model) for model in told.challengers()],
        "runs": told.runs(),
        "may_edit": may_edit,
    }
    if champion is not None:
        context |= {
            "curve": told.lines(champion.card["held_out"]["curve"]),
            "columns": told.column_rows(champion.card),
            "lifts": champion.card.get("lifts", [])[:SHOWN],
        }
    fragments = {"training-runs": "funnel/_training_runs.html"}
    return rendering.page(request, "funnel/likelihood.html", context, fragments=fragments)


@page(capability=Capability.EDIT_DEFINITION, methods=["POST"])
def train(request: Request) -> HttpResponse:
    """Ask for a training."""
    training_runs.ask(actor=request.user, now=request.now)
    toast = Toast(_("The training begins in a moment. This page shows how it goes."), "ok")
    return rendering.redirect(request, "funnel:likelihood", toast=toast)


@page(capability=Capability.EDIT_DEFINITION, methods=["POST"])
def promote(request: Request, pk: int) -> HttpResponse:
    """Put a challenger into use."""
    model = access.likelihood_model(request.user, pk, capability=Capability.EDIT_DEFINITION)
    likelihoods.promote(model=model, actor=request.user, now=request.now)
    toast = Toast(_("Model %(n)s is in use. Open leads get its answers now.") % {"n": model.number}, "ok")
    return rendering.redirect(request, "funnel:likelihood", toast=toast)


@page(capability=Capability.EDIT_DEFINITION, methods=["POST"])
def rule(request: Request) -> HttpResponse:
    """Say whether a column is known at capture; it counts from the next training on."""
    form = RulingForm(request.POST)
    if not form.is_valid():
        return rendering.redirect(request, "funnel:likelihood", toast=Toast(form.first_error(), "bad"))
    try:
        likelihoods.rule(**form.cleaned_data, actor=request.user, now=request.now)
    except DomainError as error:
        return rendering.redirect(request, "funnel:likelihood", toast=Toast(error.detail, "bad"))
    toast = Toast(_("Kept. The next training goes by it."), "ok")
    return rendering.redirect(request, "funnel:likelihood", toast=toast)


@page(capability=Capability.EDIT_DEFINITION, methods=["POST"])
def suggest(request: Request, pk: int, place: int) -> HttpResponse:
    """Add what the data says of a trait to the draft of the definition."""
    model = access.likelihood_model(request.user, pk, capability=Capability.EDIT_DEFINITION)
    draft = likelihoods.suggest(model=model, place=place, actor=request.user, now=request.now)
    toast = Toast(_("Added to the draft. Replay it before you propose it."), "ok")
    return rendering.redirect(request, reverse("funnel:definition_edit", args=[draft.number]), toast=toast)


def _compared(model: LikelihoodModel) -> dict[str, Any]:
    return {"model": model, "held_out": model.card["held_out"]}
