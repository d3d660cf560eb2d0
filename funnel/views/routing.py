"""Rules of routing: their order, editing them, and trying them on a lead without changing anything."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from funnel import access
from funnel.forms.definitions import Row
from funnel.forms.routing import COLUMNS, RuleEditor, TrialForm, described, rows_of
from funnel.models import Pool, RoutingRule
from funnel.selectors import decisions, definition_choices, desks, facts, routing, routing_rules
from funnel.services import delivery
from funnel.services import routing as choosing
from funnel.services import routing_rules as service
from leads.models import Lead
from smarketing.core.errors import DomainError
from smarketing.users.domain.roles import Capability
from smarketing.web import rendering
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast

LIST = "funnel:routing"
MAY_EDIT = Capability.CHANGE_OWNER
TRIED = ("path", "value")


@page(capability=Capability.VIEW)
def rule_list(request: Request) -> HttpResponse:
    """The rules in the order in which they are asked, and who gets what none of them takes."""
    in_use, retired = routing_rules.rows()
    context = {
        "in_use": in_use,
        "retired": retired,
        "last": len(in_use),
        "default": Pool.objects.filter(is_default=True).first(),
        "may_edit": request.user.may(MAY_EDIT),
    }
    return rendering.page(request, "funnel/routing.html", context)


@page(capability=MAY_EDIT, methods=["GET", "POST"])
def rule_new(request: Request) -> HttpResponse:
    """Add a rule, asked after the others."""
    return _edit(request, None)


@page(capability=MAY_EDIT, methods=["GET", "POST"])
def rule_edit(request: Request, pk: int) -> HttpResponse:
    """Change a rule."""
    return _edit(request, access.routing_rule(request.user, pk, capability=MAY_EDIT))


@page(capability=MAY_EDIT)
def condition_row(request: Request) -> HttpResponse:
    """One more blank condition of the editor."""
    context = {"row": Row(dict.fromkeys(COLUMNS, "")), **_choices([])}
    return rendering.fragment(request, "funnel/_routing_condition.html", context)


@page(capability=Capability.VIEW)
def trial_row(request: Request) -> HttpResponse:
    """One more blank line that describes a lead."""
    context = {"row": Row(dict.fromkeys(TRIED, "")), **_choices([])}
    return rendering.fragment(request, "funnel/_routing_trial_row.html", context)


@page(capability=MAY_EDIT, methods=["POST"])
def rule_move(request: Request, pk: int, way: str) -> HttpResponse:
    """Ask a rule one place earlier or later; the same way back undoes it."""
    rule = access.routing_rule(request.user, pk, capability=MAY_EDIT)
    place = request.POST.get("place", "")
    service.move(
        rule=rule,
        earlier=way == "up",
        actor=request.user,
        now=request.now,
        expected_place=int(place) if place.isdecimal() and len(place) < 6 else None,
    )
    return rendering.redirect(request, f"{reverse(LIST)}#rule-{rule.pk}", toast=Toast(_("Moved."), "ok"))


@page(capability=MAY_EDIT, methods=["POST"])
def rule_retire(request: Request, pk: int) -> HttpResponse:
    """Ask a rule no more, with Undo."""
    rule = access.routing_rule(request.user, pk, capability=MAY_EDIT)
    service.update(rule=rule, changes={"is_active": False}, actor=request.user, now=request.now)
    undo = reverse("funnel:routing_rule_use", args=[pk])
    return rendering.redirect(request, LIST, toast=Toast(_("Rule retired."), "ok", undo))


@page(capability=MAY_EDIT, methods=["POST"])
def rule_use(request: Request, pk: int) -> HttpResponse:
    """Ask a retired rule again, in its former place."""
    rule = access.routing_rule(request.user, pk, capability=MAY_EDIT)
    service.update(rule=rule, changes={"is_active": True}, actor=request.user, now=request.now)
    return rendering.redirect(request, LIST, toast=Toast(_("The rule is asked again."), "ok"))


@page(capability=Capability.VIEW)
def trial(request: Request) -> HttpResponse:
    """Which rule, pool and rep a lead would get now, and why. Nothing is changed."""
    rows = rows_of(request.GET, "facts", TRIED) or [Row(dict.fromkeys(TRIED, ""))]
    asked = bool(request.GET.get("lead", "").strip() or any(row.values["path"] for row in rows))
    form = TrialForm(request.GET if request.GET else None)
    context: dict[str, Any] = {"form": form, "rows": rows, **_choices(rows)}
    status = 200
    if asked and form.is_valid():
        wanted = form.cleaned_data["lead"]
        lead = routing_rules.lead_of(wanted, viewer=request.user) if wanted else None
        if wanted and lead is None:
            form.add_error("lead", _("There is no such lead, or you may not see it."))
        else:
            context |= _tried(request, lead, rows, form.cleaned_data["band"])
    if form.errors:
        status = 422
    return rendering.page(
        request,
        "funnel/routing_trial.html",
        context,
        fragments={"trial": "funnel/_routing_trial.html"},
        status=status,
    )


def _tried(request: Request, lead: Lead | None, rows: list[Row], band: str) -> dict[str, Any]:
    if lead is not None:
        known = facts.of_leads([lead.pk])[lead.pk]
        choice = delivery.dry_run(lead=lead, now=request.now)
    else:
        known = described(rows)
        choice = choosing.try_out(known=known, band=band, company_id=None, now=request.now)
    asked = routing_rules.asked(routing.active_rules(), known) if choice.way else []
    return {
        "tried": True,
        "lead": lead,
        "is_with_sales": lead is not None and desks.is_with_sales(lead),
        "choice": choice,
        "why": decisions.why(choice.record, viewer=request.user),
        "asked": asked,
        "fell_through": bool(asked) and not asked[-1].takes,
    }


def _edit(request: Request, rule: RoutingRule | None) -> HttpResponse:
    if request.method != "POST":
        return _editor(request, rule, RuleEditor.of(rule))
    editor = RuleEditor.sent(request.POST)
    if not editor.form.is_valid():
        return _editor(request, rule, editor, status=422)
    try:
        _save(request, rule, editor)
    except DomainError as error:
        editor.place_errors(error.errors, error.detail)
        return _editor(request, rule, editor, status=error.status)
    words = _("Rule added.") if rule is None else _("Saved.")
    return rendering.redirect(request, LIST, toast=Toast(words, "ok"))


def _save(request: Request, rule: RoutingRule | None, editor: RuleEditor) -> None:
    if rule is None:
        service.create(**editor.given(), actor=request.user, now=request.now)
        return
    service.update(
        rule=rule,
        changes=editor.given(),
        actor=request.user,
        now=request.now,
        expected_version=editor.form.cleaned_data["version"],
    )


def _editor(
    request: Request, rule: RoutingRule | None, editor: RuleEditor, *, status: int = 200
) -> HttpResponse:
    context = {"rule": rule, "editor": editor, **_choices(editor.rows)}
    return rendering.page(request, "funnel/routing_rule.html", context, status=status)


def _choices(rows: list[Row]) -> dict[str, Any]:
    """What the selects offer; a condition about something else keeps it, as it is written."""
    known = definition_choices.paths()
    other = {row.values["path"] for row in rows} - {value for value, _label in known} - {""}
    paths = known + [(value, value) for value in sorted(other)]
    return {"paths": paths, "operators": definition_choices.OPERATORS}
