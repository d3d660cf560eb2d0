"""What the funnel shows on the pages of leads, persons and companies."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from funnel.forms.lead_actions import QualificationForm
from funnel.models import HandoffState
from funnel.selectors import appeals, deals, definition_texts, desks, lead_list, likelihoods, missing, scores
from funnel.views import lead_asks, score_history
from leads.models import Company, ImportRun, ImportState, Lead, Person
from leads.selectors import leads as laps
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User
from smarketing.users.selectors import organisation
from smarketing.web.panels import Panel

COMPANY_LEADS = 20
_TONES = {
    HandoffState.ASSEMBLING: "warn",
    HandoffState.GATE_FAILED: "bad",
    HandoffState.DELIVERED: "info",
    HandoffState.ACCEPTED: "ok",
    HandoffState.RETURNED: "warn",
    HandoffState.EXPIRED: "bad",
    HandoffState.UPHELD: "warn",
    HandoffState.OVERTURNED: "ok",
}


def header(lead: Lead, *, viewer: User, now: datetime) -> Panel | None:
    """Stage, owner and score in the strip below the heading."""
    desk = desks.of_lead(lead, viewer=viewer)
    if desk is None:
        return None
    dressed = lead_list.dressed([desk.state], at=now)
    is_mql = desk.state.stage.code == "mql"
    qualified = definition_texts.tooltip() if is_mql else ""
    return Panel("funnel/_lead_header.html", {"desk": desk, "row": dressed[0], "qualified": qualified})


def person_header(person: Person, *, viewer: User, now: datetime) -> Panel | None:
    """The same for the present lap of a person."""
    lead = laps.open_of(person.pk)
    return header(lead, viewer=viewer, now=now) if lead else None


def tell_me(record: Lead | Person | Company, *, viewer: User, now: datetime) -> Panel | None:
    """“Tell me when…”: an alert about the person or anybody of the company."""
    is_company = isinstance(record, Company)
    query = f"company={record.pk}" if is_company else f"person={_person_id(record)}"
    return Panel("funnel/_tell_me.html", {"query": query})


def actions(lead: Lead, *, viewer: User, now: datetime) -> Panel | None:
    """Buttons beside the heading with their dialogs."""
    desk = desks.of_lead(lead, viewer=viewer)
    if desk is None or desk.is_empty:
        return None
    asked = {
        "return": lead_asks.return_(desk.handoff) if desk.may_answer and desk.handoff else None,
        "override": lead_asks.override(lead) if desk.may_override else None,
        "owner": lead_asks.owner(lead) if desk.may_change_owner else None,
        "move": lead_asks.move(lead, desk.targets) if desk.targets else None,
    }
    return Panel("funnel/_lead_actions.html", {"desk": desk, "asks": asked})


def of_import(run: ImportRun, *, viewer: User, now: datetime) -> Panel | None:
    """The way from an import to the leads it made."""
    if run.kind != "leads" or run.state != ImportState.DONE or not run.created_count:
        return None
    return Panel("funnel/_import_leads.html", {"run": run})


def handoff(lead: Lead, *, viewer: User, now: datetime) -> Panel | None:
    """The latest handoff: state, what the rep was told, answer."""
    found = desks.latest_handoff(lead.pk)
    if found is None:
        return None
    context = {
        "handoff": found,
        "tone": _TONES[HandoffState(found.state)],
        "missing": missing.words(found.missing),
        "packet": _packet(found.packet),
        "appeal": appeals.of_handoff(found.pk) if found.return_reason else None,
        "may_appeal": appeals.may_appeal(found, viewer, now=now),
    }
    return Panel("funnel/_handoff.html", context, title=_("Handoff"), id="handoff")


def score(lead: Lead, *, viewer: User, now: datetime) -> Panel | None:
    """The score with all that makes it; the parts sum to what is shown."""
    if desks.of_lead(lead, viewer=viewer) is None:
        return None
    told = scores.explain(lead=lead, at=now)
    context = {**score_history.explained(lead, told), "has_history": True}
    return Panel("funnel/_score.html", context, title=_("Score"), sub=told.definition, id="score")


def likelihood(lead: Lead, *, viewer: User, now: datetime) -> Panel | None:
    """How likely the lead becomes a customer, and why; nothing while no model is in use."""
    answer = likelihoods.of_lead(lead.pk)
    if answer is None:
        return None
    context = {"answer": answer, "reasons": likelihoods.reasons_of(answer)}
    return Panel("funnel/_likelihood.html", context, title=_("Likelihood"), id="likelihood")


def qualification(lead: Lead, *, viewer: User, now: datetime) -> Panel | None:
    """Need and budget, once sales works on the lead."""
    known = desks.qualification_of(lead.pk)
    if known is None and not desks.accepted(desks.latest_handoff(lead.pk)):
        return None
    may_edit = viewer.may(Capability.ANSWER_OWN_HANDOFF) and lead.closed_at is None
    context: dict[str, Any] = {"lead": lead, "known": known, "may_edit": may_edit}
    if may_edit:
        context["form"] = QualificationForm.of(known, currency=organisation.current().currency)
    return Panel("funnel/_qualification.html", context, title=_("Need and budget"), id="qualification")


def deals_of_lead(lead: Lead, *, viewer: User, now: datetime) -> Panel | None:
    """The lead's opportunities, and opening one."""
    may_open = viewer.may(Capability.EDIT_OPPORTUNITIES) and lead.closed_at is None
    found = deals.of_lead(viewer, lead.pk)
    if not found and not may_open:
        return None
    return _deals(found, f"?lead={lead.pk}" if may_open else "")


def deals_of_person(person: Person, *, viewer: User, now: datetime) -> Panel | None:
    """All opportunities of a person."""
    found = deals.of_person(viewer, person.pk)
    return _deals(found, "") if found else None


def deals_of_company(company: Company, *, viewer: User, now: datetime) -> Panel | None:
    """All opportunities with a company, and opening one."""
    may_open = viewer.may(Capability.EDIT_OPPORTUNITIES)
    return _deals(deals.of_company(viewer, company.pk), f"?company={company.pk}" if may_open else "")


def leads_of_company(company: Company, *, viewer: User, now: datetime) -> Panel | None:
    """The newest leads of a company with their stages."""
    rows = lead_list.of_company(viewer, company.pk, at=now, limit=COMPANY_LEADS)
    return Panel("funnel/_company_leads.html", {"rows": rows}, title=_("Leads"), id="company-leads")


def _deals(found: list[Any], query: str) -> Panel:
    return Panel("funnel/_deals.html", {"deals": found, "query": query}, title=_("Opportunities"), id="deals")


def _packet(packet: dict[str, Any]) -> dict[str, Any]:
    """What a packet holds, its instants as instants."""
    return {
        "origin": packet.get("origin") or {},
        "pages": _dated(packet.get("pages"), "last_at"),
        "actions": _dated(packet.get("actions"), "at"),
        "description": packet.get("description", ""),
        "scores": packet.get("scores") or {},
        "reasons": _reasons(packet.get("scores") or {}),
        "routing": packet.get("routing") or {},
    }


def _dated(rows: list[dict[str, Any]] | None, key: str) -> list[dict[str, Any]]:
    return [{**row, "at": datetime.fromisoformat(row[key])} for row in rows or []]


def _reasons(told: dict[str, Any]) -> list[tuple[str, float]]:
    """What spoke for the lead at delivery, the weightiest first."""
    fit = [(line["sentence"], line["points"]) for line in told.get("fit", {}).get("lines", [])]
    shares = told.get("interest", {}).get("signals", [])
    interest = [(share["key"].replace("_", " "), share["shown"]) for share in shares]
    return sorted(((t, p) for t, p in fit + interest if p > 0), key=lambda part: -part[1])


def _person_id(record: Lead | Person | Company) -> int:
    return record.person_id if isinstance(record, Lead) else record.pk
