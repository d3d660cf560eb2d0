"""The page of an opportunity: its facts edited in place, its moves, its history."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from funnel import access
from funnel.forms.deals import OpportunityForm
from funnel.models import LostReason, Opportunity, OpportunityStageKind, OpportunityTransition
from funnel.selectors import board, deals, desks, stages
from funnel.services import opportunities
from leads.models import Company, Lead, Person
from smarketing.core.errors import DomainError
from smarketing.users.domain.roles import Capability
from smarketing.users.selectors import organisation
from smarketing.web import once, panels, rendering
from smarketing.web.forms import refusals
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast


@page(capability=Capability.VIEW)
def deal_page(request: Request, pk: int) -> HttpResponse:
    """A deal. Panels of ``opportunity.main`` and ``opportunity.side`` get the opportunity."""
    deal = access.opportunity(request.user, pk)
    context = {
        **_shown(request, deal),
        "moves": [_entry(row) for row in deals.ledger(deal)],
        "columns": stages.board_columns(),
        "panels_main": panels.build("opportunity.main", deal, viewer=request.user, now=request.now),
        "panels_side": panels.build("opportunity.side", deal, viewer=request.user, now=request.now),
    }
    parts = {
        "deal-facts": "funnel/_deal_facts.html",
        "deal-road": "funnel/_deal_road.html",
        "deal-history": "funnel/_deal_history.html",
    }
    return rendering.page(request, "funnel/deal.html", context, fragments=parts)


@page(capability=Capability.EDIT_OPPORTUNITIES, methods=["GET", "POST"])
def edit(request: Request, pk: int) -> HttpResponse:
    """The facts of a deal as a form, and saving them."""
    deal = access.opportunity(request.user, pk, capability=Capability.EDIT_OPPORTUNITIES)
    if request.method != "POST":
        return _form(request, deal, _filled(deal))
    form = OpportunityForm(request.POST).keep(deal)
    if not form.is_valid():
        return _form(request, deal, form, status=422)
    try:
        opportunities.update(
            opportunity=deal,
            changes=form.changes(),
            actor=request.user,
            now=request.now,
            expected_version=form.cleaned_data["version"],
        )
    except DomainError as error:
        refusals.add_error(form, error)
        return _form(request, deal, form, status=error.status)
    toast = Toast(_("Saved."), "ok")
    if not request.htmx:
        return rendering.redirect(request, reverse("funnel:opportunity", args=[pk]), toast=toast)
    fresh = access.opportunity(request.user, pk)
    return rendering.fragment(request, "funnel/_deal_facts.html", _shown(request, fresh), toast=toast)


@page(capability=Capability.EDIT_OPPORTUNITIES, methods=["GET", "POST"])
def new(request: Request) -> HttpResponse:
    """Open a deal, for a lead, a company or nobody in particular."""
    lead, person, company = _about(request)
    form = OpportunityForm(
        request.POST if request.method == "POST" else None, initial=_start(request, lead, company)
    )
    if form.is_valid():
        earlier = once.begin(request)
        if earlier is not None:
            return rendering.redirect(request, earlier or reverse("funnel:opportunities"))
        try:
            deal = opportunities.open(
                lead=lead,
                person=person,
                company=company,
                **form.changes(),
                opened_at=request.now,
                actor=request.user,
                now=request.now,
            )
        except DomainError as error:
            once.failed(request)
            refusals.add_error(form, error)
        else:
            address = reverse("funnel:opportunity", args=[deal.pk])
            once.done(request, address)
            return rendering.redirect(request, address, toast=Toast(_("Opportunity opened."), "ok"))
    context = {"form": form, "lead": lead, "company": company, "person": person, "once": once.token()}
    return rendering.page(request, "funnel/deal_new.html", context, status=422 if form.errors else 200)


def _shown(request: Request, deal: Opportunity) -> dict[str, Any]:
    may_edit = request.user.may(Capability.EDIT_OPPORTUNITIES)
    return {"deal": deal, "card": board.card(deal, now=request.now), "may_edit": may_edit}


def _filled(deal: Opportunity) -> OpportunityForm:
    names = ("name", "product", "amount", "currency", "owner", "expected_close_on", "version")
    return OpportunityForm(initial={name: getattr(deal, name) for name in names}).keep(deal)


def _form(request: Request, deal: Opportunity, form: OpportunityForm, *, status: int = 200) -> HttpResponse:
    context = {"deal": deal, "form": form}
    template = "funnel/_deal_form.html" if request.htmx else "funnel/deal_edit.html"
    return rendering.fragment(request, template, context, status=status)


def _about(request: Request) -> tuple[Lead | None, Person | None, Company | None]:
    """Whom the deal is about: ``lead``, ``person`` or ``company`` in the address."""
    keys = {name: request.GET.get(name, "") for name in ("lead", "person", "company")}
    pks = {name: int(text) for name, text in keys.items() if text.isascii() and text.isdecimal()}
    lead = access.lead(request.user, pks["lead"]) if "lead" in pks else None
    person = access.person(request.user, pks["person"]) if "person" in pks else None
    company = access.company(request.user, pks["company"]) if "company" in pks else None
    if lead is not None:
        person, company = lead.person, company or lead.company or lead.person.company
    elif person is not None:
        company = company or person.company
    return lead, person, company


def _start(request: Request, lead: Lead | None, company: Company | None) -> dict[str, Any]:
    """What the form starts with: the lead's owner and budget, the organisation's currency."""
    start: dict[str, Any] = {
        "currency": organisation.current().currency,
        "owner": request.user.pk,
        "name": company.name if company else "",
    }
    if lead is None:
        return start
    desk = desks.of_lead(lead, viewer=request.user)
    known = desks.qualification_of(lead.pk)
    if desk and desk.state.owner_id:
        start["owner"] = desk.state.owner_id
    if known and known.budget is not None:
        start.update(amount=known.budget, currency=known.currency)
    start["name"] = start["name"] or lead.person.name
    return start


def _entry(row: OpportunityTransition) -> dict[str, Any]:
    """A move as the timeline shows it."""
    icons: dict[str, tuple[str, str]] = {
        OpportunityStageKind.WON: ("trophy", "ok"),
        OpportunityStageKind.LOST: ("circle-x", "bad"),
    }
    icon, tone = icons.get(row.to_stage.kind, ("arrow-right", "plain"))
    if row.from_stage is None:
        title = _("Opened in %(stage)s") % {"stage": row.to_stage.name}
    else:
        title = _("%(before)s → %(after)s") % {"before": row.from_stage.name, "after": row.to_stage.name}
    return {
        "icon": icon,
        "tone": tone,
        "title": title,
        "detail": _reason(row.reason),
        "at": row.effective_at,
        "who": row.actor.name if row.actor else "",
    }


def _reason(code: str) -> str:
    """Why it moved, in words: the reason of a loss, a move taken back, a file."""
    known = {"undo": _("Taken back"), "imported": _("Imported"), **dict(LostReason.choices)}
    return str(known.get(code, code))
