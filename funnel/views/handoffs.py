"""Answering a handoff on the page of its lead."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from funnel import access
from funnel.forms.lead_actions import VersionForm
from funnel.models import Handoff
from funnel.services import handoffs
from funnel.views import asks, lead_asks
from smarketing.core.errors import DomainError
from smarketing.users.domain.roles import Capability
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast


@page(capability=Capability.ANSWER_OWN_HANDOFF, methods=["POST"])
def accept(request: Request, pk: int) -> HttpResponse:
    """Take the lead."""
    handoff = access.handoff_to_answer(request.user, pk)
    form = VersionForm(request.POST)
    version = form.cleaned_data["version"] if form.is_valid() else None
    handoffs.accept(handoff=handoff, actor=request.user, now=request.now, expected_version=version)
    return _answered(request, handoff, _("Accepted: %(lead)s"))


@page(capability=Capability.ANSWER_OWN_HANDOFF, methods=["GET", "POST"])
def return_(request: Request, pk: int) -> HttpResponse:
    """Give the lead back with a reason."""
    handoff = access.handoff_to_answer(request.user, pk)
    if request.method == "GET":
        return asks.again(request, lead_asks.return_(handoff), status=200)
    ask = lead_asks.return_(handoff, request.POST)
    if not ask.form.is_valid():
        return asks.again(request, ask)
    given = ask.form.cleaned_data
    try:
        handoffs.return_(
            handoff=handoff,
            reason=given["reason"],
            note=given["note"],
            actor=request.user,
            now=request.now,
            expected_version=given["version"],
        )
    except DomainError as error:
        return asks.refused(request, ask, error)
    return _answered(request, handoff, _("Returned to marketing: %(lead)s"))


@page(capability=Capability.ANSWER_OWN_HANDOFF, methods=["POST"])
def undo(request: Request, pk: int) -> HttpResponse:
    """Take the answer back within ten seconds."""
    handoff = access.handoff(request.user, pk)
    handoffs.undo(handoff=handoff, actor=request.user, now=request.now)
    return _answered(request, handoff, _("Taken back: %(lead)s"), can_undo=False)


def _answered(request: Request, handoff: Handoff, sentence: str, *, can_undo: bool = True) -> HttpResponse:
    url = reverse("funnel:handoff_undo", args=[handoff.pk]) if can_undo else ""
    name = handoff.lead.person.name or handoff.lead.pk
    toast = Toast(sentence % {"lead": name}, "ok", url)
    return asks.done(request, reverse("leads:lead", args=[handoff.lead_id]), toast)
