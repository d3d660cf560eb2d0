"""What is done with one lead on its page: deliver, override the gate, change owner, move, qualify."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from funnel import access
from funnel.forms.lead_actions import QualificationForm
from funnel.models import Handoff, HandoffState
from funnel.selectors import desks, missing, signal_events
from funnel.services import hand_moves, handoffs, owners, qualifications, stage_gates
from funnel.services.hand_moves import Found
from funnel.views import asks, lead_asks
from funnel.views.leads import undo_url
from leads.models import Lead
from smarketing.core.errors import Conflict, DomainError
from smarketing.users.domain.roles import Capability
from smarketing.users.selectors import organisation
from smarketing.web import rendering
from smarketing.web.forms import refusals
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast

# The page of the lead and the board reload what they show.
MOVED = "board-changed, record-changed"


class NotPlaced(Conflict):
    """The lead has no stage yet."""

    code = "lead_not_placed"


@page(capability=Capability.DELIVER, methods=["POST"])
def deliver(request: Request, pk: int) -> HttpResponse:
    """Deliver the lead to sales; the ring chooses the rep."""
    lead = access.lead(request.user, pk, capability=Capability.DELIVER)
    handoff = handoffs.deliver(lead=lead, actor=request.user, now=request.now)
    return _done(request, lead, _told(handoff))


@page(capability=Capability.OVERRIDE_GATE, methods=["POST"])
def override(request: Request, pk: int) -> HttpResponse:
    """Deliver although something is missing, and say why."""
    lead = access.lead(request.user, pk, capability=Capability.OVERRIDE_GATE)
    ask = lead_asks.override(lead, request.POST)
    if not ask.form.is_valid():
        return asks.again(request, ask)
    try:
        handoff = handoffs.deliver(
            lead=lead,
            actor=request.user,
            now=request.now,
            override_reason=ask.form.cleaned_data["override_reason"],
        )
    except DomainError as error:
        return asks.refused(request, ask, error)
    return _done(request, lead, _told(handoff))


@page(capability=Capability.CHANGE_OWNER, methods=["POST"])
def change_owner(request: Request, pk: int) -> HttpResponse:
    """Make somebody else responsible; the toast takes it back."""
    lead = access.lead(request.user, pk, capability=Capability.CHANGE_OWNER)
    ask = lead_asks.owner(lead, request.POST)
    if not ask.form.is_valid():
        return asks.again(request, ask)
    owner = ask.form.cleaned_data["owner"]
    try:
        made = owners.assign(
            lead=lead, owner=owner, reason=owners.BY_HAND, actor=request.user, now=request.now
        )
    except DomainError as error:
        return asks.refused(request, ask, error)
    text = _("The owner is now %(owner)s.") % {"owner": owner.name}
    return _done(request, lead, Toast(text, "ok", undo_url(owner, request.now) if made else ""))


@page(capability=Capability.EDIT_LEADS, methods=["POST"])
def move(request: Request, pk: int) -> HttpResponse:
    """Move the lead by hand."""
    lead = access.lead(request.user, pk, capability=Capability.EDIT_LEADS)
    desk = desks.of_lead(lead, viewer=request.user)
    if desk is None:
        raise NotPlaced(_("This lead has no stage yet."))
    ask = lead_asks.move(lead, desk.targets, request.POST)
    if not ask.form.is_valid():
        return asks.again(request, ask)
    given = ask.form.cleaned_data
    try:
        state = hand_moves.move(
            lead=lead,
            to=given["to"],
            reason=given["reason"],
            actor=request.user,
            now=request.now,
            found=found_in(given),
            expected_version=given["version"],
        )
    except stage_gates.NotReady as error:
        if {"need", "budget"} & {e.field for e in error.errors} and "need" not in request.POST:
            ask = lead_asks.move(lead, desk.targets, with_currency(request.POST), asks_need=True)
        return asks.refused(request, ask, error)
    except DomainError as error:
        return asks.refused(request, ask, error)
    undo = reverse("funnel:lead_board_undo", args=[lead.pk, state.seq])
    has_moved = state.seq != desk.state.seq
    toast = Toast(_("Moved to %(stage)s.") % {"stage": state.stage.name}, "ok", undo if has_moved else "")
    return asks.done(request, reverse("leads:lead", args=[lead.pk]), toast, trigger=MOVED)


@page(capability=Capability.ANSWER_OWN_HANDOFF, methods=["POST"])
def qualify(request: Request, pk: int) -> HttpResponse:
    """Record need and budget; with acceptance they make the lead an SQL."""
    lead = access.lead(request.user, pk, capability=Capability.ANSWER_OWN_HANDOFF)
    form = QualificationForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        try:
            qualifications.record(
                lead=lead,
                need=given["need"],
                budget=given["budget"],
                currency=given["currency"],
                actor=request.user,
                now=request.now,
                expected_version=given["version"],
            )
        except DomainError as error:
            refusals.add_error(form, error)
        else:
            return _done(request, lead, Toast(_("Need and budget recorded."), "ok"))
    context = {"panel": {"form": form, "lead": lead}}
    template = "funnel/_qualification_form.html" if request.htmx else "funnel/qualification.html"
    return rendering.fragment(request, template, context, status=422)


@page(capability=Capability.VIEW)
def events_of_signal(request: Request, pk: int, key: str) -> HttpResponse:
    """The events that one line of the score rests on."""
    lead = access.lead(request.user, pk)
    found = signal_events.of_signal(lead=lead, key=key, at=request.now)
    return rendering.fragment(request, "funnel/_signal_events.html", {"found": found})


def found_in(given: Mapping[str, Any]) -> Found | None:
    """Need and budget, where the form asked for them."""
    if "need" not in given:
        return None
    return Found(given["need"], given["budget"], given["currency"])


def with_currency(data: QueryDict) -> QueryDict:
    """What was sent, with the organisation's currency for a budget that is asked for now."""
    filled = data.copy()
    filled.setdefault("currency", organisation.current().currency)
    return filled


def _told(handoff: Handoff) -> Toast:
    """What came of a delivery."""
    if handoff.state == HandoffState.GATE_FAILED:
        what = ", ".join(missing.words(handoff.missing))
        return Toast(_("Not delivered. Missing: %(what)s.") % {"what": what}, "warn")
    if handoff.owner is None:
        return Toast(_("No rep can take a lead now. It is delivered as soon as one can."), "warn")
    return Toast(_("Delivered to %(owner)s.") % {"owner": handoff.owner.name}, "ok")


def _done(request: Request, lead: Lead, toast: Toast) -> HttpResponse:
    return asks.done(request, reverse("leads:lead", args=[lead.pk]), toast)
