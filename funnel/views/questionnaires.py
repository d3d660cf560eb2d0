"""The blind questionnaire: all rounds with their trend, answering one, and what it showed."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from funnel import access
from funnel.forms import questionnaires as forms
from funnel.models import Questionnaire
from funnel.selectors import questionnaires as read
from funnel.services import questionnaires
from smarketing.core.errors import DomainError
from smarketing.users.domain.roles import Capability
from smarketing.web import rendering
from smarketing.web.forms import refusals
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast


@page(capability=Capability.VIEW)
def questionnaire_list(request: Request) -> HttpResponse:
    """Every round, and how the agreement went from one to the next."""
    return _list(request, forms.StartForm())


@page(capability=Capability.EDIT_DEFINITION, methods=["POST"])
def start(request: Request) -> HttpResponse:
    """Begin a round."""
    form = forms.StartForm(request.POST)
    if form.is_valid():
        try:
            made = questionnaires.start(**form.given(), actor=request.user, now=request.now)
        except DomainError as error:
            refusals.add_error(form, error)
        else:
            return rendering.redirect(request, _url(made), toast=Toast(_("Both teams are asked."), "ok"))
    return _list(request, form, status=422)


@page(capability=Capability.VIEW)
def questionnaire_page(request: Request, pk: int) -> HttpResponse:
    """The sheet to answer, or what the round showed."""
    found = access.questionnaire(request.user, pk)
    own = read.own_answer(found, request.user)
    return _page(request, found, forms.sheet(found, forms.given_by(own)))


@page(capability=Capability.LOG_ACTIVITY, methods=["POST"])
def answer(request: Request, pk: int) -> HttpResponse:
    """Give or replace one's own answer."""
    found = access.questionnaire(request.user, pk)
    given = forms.read(request.POST, found)
    try:
        questionnaires.answer(questionnaire=found, **given, actor=request.user, now=request.now)
    except questionnaires.AnswerInvalid as error:
        wrong = frozenset(problem.field for problem in error.errors)
        sheet = forms.sheet(found, given, wrong=wrong)
        return _page(request, found, sheet, problem=error.detail, status=422)
    return rendering.redirect(request, _url(found), toast=Toast(_("Answered. Thank you."), "ok"))


@page(capability=Capability.EDIT_DEFINITION, methods=["POST"])
def cancel(request: Request, pk: int) -> HttpResponse:
    """End a round without a result."""
    found = access.questionnaire(request.user, pk)
    questionnaires.cancel(questionnaire=found, actor=request.user, now=request.now)
    return rendering.redirect(request, "funnel:questionnaires", toast=Toast(_("Cancelled."), "ok"))


@page(capability=Capability.EDIT_DEFINITION, methods=["POST"])
def draft(request: Request, pk: int) -> HttpResponse:
    """Make a draft of what both sides agree on."""
    found = access.questionnaire(request.user, pk)
    made = questionnaires.draft(questionnaire=found, actor=request.user, now=request.now)
    to = reverse("funnel:definition_version", args=[made.number])
    return rendering.redirect(request, to, toast=Toast(_("Drafted from what both teams agree on."), "ok"))


def _url(found: Questionnaire) -> str:
    return reverse("funnel:questionnaire", args=[found.pk])


def _list(request: Request, form: forms.StartForm, *, status: int = 200) -> HttpResponse:
    context = {
        "rounds": read.visible_to(request.user),
        "trend": [found.kappa for found in read.trend() if found.kappa is not None],
        "is_due": read.is_due(now=request.now),
        "form": form,
        "may_start": request.user.may(Capability.EDIT_DEFINITION),
    }
    return rendering.page(request, "funnel/questionnaires.html", context, status=status)


def _page(
    request: Request, found: Questionnaire, sheet: forms.Sheet, *, problem: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "round": found,
        "sheet": sheet,
        "problem": problem,
        "ratings": forms.RATINGS,
        "labels": forms.LABELS,
        "has_answered": read.own_answer(found, request.user) is not None,
        "may_answer": request.user.side is not None and request.user.may(Capability.LOG_ACTIVITY),
        "may_edit": request.user.may(Capability.EDIT_DEFINITION),
    }
    if read.is_shown(found):
        result = read.result(found)
        context["result"] = result
        context["words"] = [(forms.ASKED[key], told) for key, told in result.words.items()]
    return rendering.page(request, "funnel/questionnaire.html", context, status=status)
