"""The funnel as a board and as a table of its stages; moves on the board."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from funnel import access
from funnel.domain.lifecycle import MoveRefused
from funnel.forms.lead_actions import ManyMovesForm
from funnel.models import LeadState
from funnel.selectors import desks, lead_board, stage_figures, stages
from funnel.services import hand_moves, move_undo, stage_gates
from funnel.services.lifecycle import MoveNotPossible
from funnel.views import asks, lead_asks
from funnel.views.asks import Ask
from funnel.views.lead_actions import MOVED, NotPlaced, with_currency
from funnel.views.whose import owner_asked_for
from leads.models import Lead
from smarketing.core.errors import Invalid
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User
from smarketing.web import query, rendering
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast


class BadMoves(Invalid):
    """The selection or the stage can't be read."""

    code = "bad_moves"


@page(capability=Capability.VIEW)
def board_page(request: Request) -> HttpResponse:
    """Columns of cards; ``owner`` in the address narrows it to one rep, "me" to oneself."""
    owner = owner_asked_for(request)
    context = {
        **_shared(request, owner),
        "columns": lead_board.first_columns(
            request.user, owner=owner, month=_month(request.now), now=request.now
        ),
    }
    parts = {"board": "funnel/_lead_board_columns.html"}
    return rendering.page(request, "funnel/lead_board.html", context, fragments=parts)


@page(capability=Capability.VIEW)
def stage_table(request: Request) -> HttpResponse:
    """The same figures as a table: counts, age, targets, and where it is stuck."""
    owner = owner_asked_for(request)
    figures = stage_figures.all_of(
        owner=owner.pk if owner else None, month=_month(request.now), now=request.now
    )
    context = {**_shared(request, owner), "figures": figures, "days": stage_figures.PERIOD_DAYS}
    return rendering.page(request, "funnel/stage_figures.html", context)


@page(capability=Capability.VIEW)
def column_more(request: Request, pk: int) -> HttpResponse:
    """The next cards of one column."""
    stage = access.stage(request.user, pk)
    owner = owner_asked_for(request)
    cursor = request.GET.get("cursor", "")
    cards, after = lead_board.more(request.user, stage, owner=owner, cursor=cursor, now=request.now)
    context = {**_shared(request, owner), "cards": cards, "next": after, "stage": stage}
    return rendering.fragment(request, "funnel/_lead_board_cards.html", context)


@page(capability=Capability.EDIT_LEADS, methods=["POST"])
def move(request: Request, pk: int) -> HttpResponse:
    """Move a card; what the stage or the way back asks for is asked in a dialog first."""
    lead = access.lead(request.user, pk, capability=Capability.EDIT_LEADS)
    desk = desks.of_lead(lead, viewer=request.user)
    if desk is None:
        raise NotPlaced(_("This lead has no stage yet."))
    to, version = request.POST.get("to", ""), request.POST.get("version", "")
    needs_reason = _needs_reason(desk.state, to)
    if needs_reason:
        return _ask(request, lead_asks.move(lead, desk.targets, initial={"to": to, "version": version}))
    try:
        state = hand_moves.move(
            lead=lead,
            to=to,
            reason="",
            actor=request.user,
            now=request.now,
            expected_version=query.key(version),
        )
    except stage_gates.NotReady as error:
        if not {"need", "budget"} & {e.field for e in error.errors}:
            raise
        data = with_currency(request.POST)
        asked = {name: data.get(name, "") for name in ("to", "version", "currency")}
        ask = lead_asks.move(lead, desk.targets, asks_need=True, initial=asked)
        return _ask(request, ask)
    text = _("%(lead)s moved to %(stage)s.") % {"lead": lead.person.name or lead, "stage": state.stage.name}
    undo_url = reverse("funnel:lead_board_undo", args=[lead.pk, state.seq])
    toast = Toast(text, "ok", undo_url if state.seq != desk.state.seq else "")
    return asks.done(request, reverse("leads:lead", args=[lead.pk]), toast, trigger=MOVED)


@page(capability=Capability.EDIT_LEADS, methods=["POST"])
def undo(request: Request, pk: int, seq: int) -> HttpResponse:
    """Take a move back within ten seconds; ``seq`` is the row of the ledger that it ended in."""
    lead = access.lead(request.user, pk, capability=Capability.EDIT_LEADS)
    state = move_undo.take_back(lead=lead, seq=seq, actor=request.user, now=request.now)
    words = {"lead": lead.person.name or lead, "stage": state.stage.name}
    toast = Toast(_("%(lead)s is back in %(stage)s.") % words, "ok")
    return asks.done(request, reverse("funnel:lead_board"), toast, trigger=MOVED)


@page(capability=Capability.EDIT_LEADS, methods=["POST"])
def move_many(request: Request) -> HttpResponse:
    """Move the selected leads of the list; who can't be moved is told with why."""
    form = ManyMovesForm(request.POST)
    if not form.is_valid():
        raise BadMoves(_("Select leads, choose the stage they are to go to, and say why."))
    given = form.cleaned_data
    chosen = access.leads(request.user, given["id"], capability=Capability.EDIT_LEADS)
    moved, refused = hand_moves.move_many(
        leads=chosen, to=given["to"].code, reason=given["reason"], actor=request.user, now=request.now
    )
    text = ngettext("%(n)d lead moved to %(stage)s.", "%(n)d leads moved to %(stage)s.", moved)
    text %= {"n": moved, "stage": given["to"].name}
    if refused:
        text += " " + _not_moved(refused)
    query = request.POST.get("query", "")[:4000]
    toast = Toast(text, "warn" if refused else "ok")
    return rendering.redirect(request, f"{reverse('funnel:leads')}?{query}", toast=toast)


def _not_moved(refused: list[tuple[Lead, str]]) -> str:
    """How many stayed, and why the first of them did."""
    lead, why = refused[0]
    text = ngettext(
        "%(n)d stayed: %(lead)s: %(why)s", "%(n)d stayed, such as %(lead)s: %(why)s", len(refused)
    )
    return text % {"n": len(refused), "lead": lead.person.name or lead, "why": why}


def _needs_reason(state: LeadState, to: str) -> bool:
    """Whether the table of moves wants to know why. Raises ``MoveNotPossible`` for what it refuses."""
    try:
        stages.road().ladder.plan_move(state.stage.code, to)
    except MoveRefused as refused:
        if refused.code == "reason_required":
            return True
        if refused.code != "too_early":  # the service knows the step it came from
            raise MoveNotPossible(refused.detail, code=refused.code) from refused
    return False


def _ask(request: Request, ask: Ask) -> HttpResponse:
    """Ask in a dialog beside the board; the card goes back until the answer is there (422)."""
    if not request.htmx:
        return asks.again(request, ask)
    response = rendering.fragment(request, "funnel/_ask_dialog.html", {"ask": ask}, status=422)
    response["HX-Retarget"] = "#dialog-slot"
    response["HX-Reswap"] = "innerHTML"
    return response


def _shared(request: Request, owner: User | None) -> dict[str, Any]:
    given = request.GET.get("owner", "")
    return {
        "owner": owner,
        "owners": User.objects.owners(),
        "may_edit": request.user.may(Capability.EDIT_LEADS),
        "here": request.get_full_path(),
        "query": urlencode({"owner": given}) if owner else "",
        "owner_query": urlencode({"owner": owner.pk}) if owner else "",
    }


def _month(now: datetime) -> datetime:
    """When this month began where the viewer is."""
    return timezone.localtime(now).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
