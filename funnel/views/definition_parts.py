"""What stands beside the text of a version: what each rule touches, and the discussion."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from funnel.domain import drafts
from funnel.forms import definitions as forms
from funnel.selectors import definition_reaches
from funnel.services import definition_comments
from funnel.views import definitions
from smarketing.core.errors import DomainError
from smarketing.users.domain.roles import Capability
from smarketing.web import rendering
from smarketing.web.forms import refusals
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast


@page(capability=Capability.EDIT_DEFINITION, methods=["GET", "POST"])
def reach(request: Request, number: int) -> HttpResponse:
    """How many open leads each rule touches: of the version, or of the editor as it stands unsaved."""
    found = definitions.load(request, number, capability=Capability.EDIT_DEFINITION)
    document = forms.document_of(forms.of_post(request.POST)) if request.method == "POST" else found.body
    try:
        rules = drafts.parse(document)
    except drafts.DefinitionInvalid as invalid:
        context = {"problems": invalid.problems}
        return rendering.fragment(request, "funnel/_definition_reach.html", context)
    reached = definition_reaches.told(rules, now=request.now)
    return rendering.fragment(request, "funnel/_definition_reach.html", {"reach": reached})


@page(capability=Capability.LOG_ACTIVITY, methods=["POST"])
def comment(request: Request, number: int) -> HttpResponse:
    """Say something about a version or one of its parts."""
    found = definitions.load(request, number)
    form = forms.CommentForm(request.POST)
    if form.is_valid():
        try:
            definition_comments.add(
                definition=found, **form.cleaned_data, author=request.user, now=request.now
            )
        except DomainError as error:
            refusals.add_error(form, error)
        else:
            to = reverse("funnel:definition_version", args=[number])
            return rendering.redirect(request, to, toast=Toast(_("Said."), "ok"))
    return definitions.show_version(request, found, comment=form, status=422)
