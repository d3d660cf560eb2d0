"""Pausing a clock and letting it go on, from the page of its lead."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.translation import gettext as _

from funnel.services import handoffs
from sla import access
from sla.forms.agreements import PauseForm
from sla.selectors.links import lead_path
from sla.services import clocks
from smarketing.users.domain.roles import Capability
from smarketing.web import rendering
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast


@page(capability=Capability.ANSWER_OWN_HANDOFF, methods=["POST"])
def pause(request: Request, pk: int) -> HttpResponse:
    """Hold a running clock; the reason is read by everybody."""
    clock = access.clock_to_hold(request.user, pk)
    form = PauseForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    clocks.pause(clock=clock, at=request.now, actor=request.user, reason=reason, now=request.now)
    return rendering.redirect(
        request, lead_path(clock.handoff.lead_id), toast=Toast(_("Clock paused."), "ok")
    )


@page(capability=Capability.ANSWER_OWN_HANDOFF, methods=["POST"])
def explain(request: Request, pk: int) -> HttpResponse:
    """Say what was wrong with a lead that was returned without a word; that keeps the promise of feedback."""
    clock = access.clock_to_hold(request.user, pk)
    note = request.POST.get("note", "")
    handoffs.explain(handoff=clock.handoff, note=note, actor=request.user, now=request.now)
    return rendering.redirect(request, lead_path(clock.handoff.lead_id), toast=Toast(_("Explained."), "ok"))


@page(capability=Capability.ANSWER_OWN_HANDOFF, methods=["POST"])
def resume(request: Request, pk: int) -> HttpResponse:
    """Go on with the time that was left."""
    clock = access.clock_to_hold(request.user, pk)
    clocks.resume(clock=clock, at=request.now, actor=request.user, now=request.now)
    return rendering.redirect(
        request, lead_path(clock.handoff.lead_id), toast=Toast(_("The clock runs."), "ok")
    )
