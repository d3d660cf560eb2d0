"""Settings of the stages: what both teams see, and the editor of one stage."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from funnel import access
from funnel.domain import entry, fit
from funnel.forms import stages as forms
from funnel.forms.definitions import Row
from funnel.forms.stages import StageForm
from funnel.models import Stage, StageRole
from funnel.selectors import definition_choices, entry_facts, stages
from funnel.services import stages as service
from funnel.services.stage_fields import BadStage
from smarketing.core.errors import DomainError
from smarketing.users.domain.roles import Capability
from smarketing.web import rendering
from smarketing.web.forms import refusals
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast


@page(capability=Capability.VIEW)
def stage_page(request: Request) -> HttpResponse:
    """The shared funnel: what every stage means and whose it is."""
    known = list(stages.by_code().values())
    context = {
        "road": [_told(s) for s in known if s.is_active and s.kind == "main"],
        "beside": [_told(s) for s in known if s.is_active and s.kind == "side"],
        "retired": [_told(s) for s in known if not s.is_active],
        "columns": stages.board_columns(),
        "may_edit": request.user.may(Capability.EDIT_STAGES),
    }
    return rendering.page(request, "funnel/stages.html", context)


@page(capability=Capability.EDIT_STAGES, methods=["GET", "POST"])
def stage_new(request: Request) -> HttpResponse:
    """Add a stage."""
    steps = stages.offered(stages.by_code())
    if request.method != "POST":
        return _editor(request, StageForm(steps=steps, is_new=True), [])
    form, rows = StageForm(request.POST, steps=steps, is_new=True), forms.rows_of_post(request.POST)
    if form.is_valid():
        try:
            service.create(
                role=form.cleaned_data["role"],
                fields={**form.changes(), "rule": forms.rule_of(rows)},
                after=_after(form),
                actor=request.user,
                now=request.now,
            )
        except DomainError as error:
            _place(form, rows, error)
        else:
            return _done(request, _("Stage added."))
    return _editor(request, form, rows)


@page(capability=Capability.EDIT_STAGES, methods=["GET", "POST"])
def stage_edit(request: Request, pk: int) -> HttpResponse:
    """Change a stage."""
    stage = access.stage(request.user, pk, capability=Capability.EDIT_STAGES)
    known = stages.by_code()
    place = stages.place_of(stage, known)
    steps = [s for s in stages.offered(known) if s.pk != stage.pk] if place is not None else None
    if request.method != "POST":
        rows = forms.rows_of(stage.rule)
        return _editor(request, StageForm.filled(stage, steps=steps, after=place), rows, stage)
    form, rows = StageForm(request.POST, steps=steps, is_new=False), forms.rows_of_post(request.POST)
    if form.is_valid():
        changes = form.changes() | ({} if stage.is_builtin else {"rule": forms.rule_of(rows)})
        if steps is not None and _after(form):
            changes["after"] = _after(form)
        try:
            service.update(
                stage=stage,
                changes=changes,
                actor=request.user,
                now=request.now,
                expected_version=form.cleaned_data["version"],
            )
        except DomainError as error:
            _place(form, rows, error)
        else:
            return _done(request, _("Saved."))
    return _editor(request, form, rows, stage)


@page(capability=Capability.EDIT_STAGES, methods=["POST"])
def stage_retire(request: Request, pk: int) -> HttpResponse:
    """Take a stage out of use."""
    stage = access.stage(request.user, pk, capability=Capability.EDIT_STAGES)
    try:
        service.retire(stage=stage, actor=request.user, now=request.now)
    except service.StageInUse as error:
        toast = Toast(error.detail, "warn")
        return rendering.redirect(request, reverse("funnel:stage_edit", args=[pk]), toast=toast)
    return _done(request, _("%(stage)s is not used any more.") % {"stage": stage.name})


@page(capability=Capability.EDIT_STAGES, methods=["POST"])
def stage_restore(request: Request, pk: int) -> HttpResponse:
    """Use a stage again."""
    stage = access.stage(request.user, pk, capability=Capability.EDIT_STAGES)
    try:
        service.restore(stage=stage, actor=request.user, now=request.now)
    except BadStage as error:
        toast = Toast(error.errors[0].detail, "warn")
        return rendering.redirect(request, "funnel:stages", toast=toast)
    return _done(request, _("%(stage)s is in use again.") % {"stage": stage.name})


@page(capability=Capability.EDIT_STAGES)
def criterion_row(request: Request) -> HttpResponse:
    """One more blank row of the criteria."""
    blank = Row(dict.fromkeys(("path", "operator", "value"), ""))
    return rendering.fragment(request, "funnel/_stage_rule_row.html", {"row": blank, **_choices([])})


def _editor(request: Request, form: StageForm, rows: list[Row], stage: Stage | None = None) -> HttpResponse:
    context: dict[str, Any] = {
        "form": form,
        "rows": rows,
        "stage": stage,
        "has_rule": stage is None or not stage.is_builtin,
        "is_step": stage is None or stage.role == StageRole.MAIN,
        "heads": definition_choices.HEADS["ideal"],
        "row_url": reverse("funnel:stage_row"),
        "versions": stages.versions_of(stage) if stage else [],
        **_choices(rows),
    }
    wrong = bool(form.errors) or any(row.errors for row in rows)
    return rendering.page(request, "funnel/stage_edit.html", context, status=422 if wrong else 200)


def _choices(rows: list[Row]) -> dict[str, Any]:
    """What the selects offer; a criterion about something else keeps it, as it is written."""
    known = entry_facts.paths()
    offered = {value for value, _label in known}
    used = {row.values["path"] for row in rows} - offered - {""}
    return {"paths": [*known, *((u, u) for u in sorted(used))], "operators": definition_choices.OPERATORS}


def _told(stage: Stage) -> dict[str, Any]:
    conditions, _problems = entry.parse(stage.rule)
    return {"stage": stage, "criteria": [fit.describe(condition) for condition in conditions]}


def _after(form: StageForm) -> str | None:
    return form.cleaned_data.get("after") or None


def _place(form: StageForm, rows: list[Row], error: DomainError) -> None:
    """What was refused stands beside its field or its row."""
    others = forms.place_errors(rows, error.errors)
    if others or not error.errors:
        refusals.add_error(form, type(error)(error.detail, errors=others))


def _done(request: Request, text: str) -> HttpResponse:
    return rendering.redirect(request, "funnel:stages", toast=Toast(text, "ok"))
