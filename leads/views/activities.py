"""Logging what was done, and tasks."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from leads import access
from leads.forms.activities import LogForm, TaskForm
from leads.models import Activity, ActivityKind, Person
from leads.selectors import tasks as task_rows
from leads.services import activities
from smarketing.core.errors import DomainError, Missing
from smarketing.users.domain.roles import Capability
from smarketing.web import panels, rendering
from smarketing.web.forms import refusals
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast

CHANGED = "record-changed"
KINDS = (ActivityKind.CALL, ActivityKind.MAIL, ActivityKind.MEETING, ActivityKind.NOTE, ActivityKind.TASK)


class NoSuchKind(Missing):
    """There is no such kind of activity."""


@page(capability=Capability.LOG_ACTIVITY, methods=["GET", "POST"])
def log(request: Request, pk: int, kind: str) -> HttpResponse:
    """The form of one kind of activity about a person, and saving it."""
    if kind not in KINDS:
        raise NoSuchKind(_("There is no such kind of activity."))
    person = access.get_person(request.user, pk, capability=Capability.LOG_ACTIVITY)
    form = _form(request, kind)
    if request.method != "POST":
        return _composer(request, person, kind, form)
    if not form.is_valid():
        return _composer(request, person, kind, form, status=422)
    try:
        _save(request, person, kind, form)
    except DomainError as error:
        refusals.add_error(form, error)
        return _composer(request, person, kind, form, status=error.status)
    toast = Toast(_("Task added.") if kind == ActivityKind.TASK else _("Logged."), tone="ok")
    context = {"person": person, "may_log": True}
    return rendering.fragment(request, "leads/_composer.html", context, toast=toast, trigger=CHANGED)


@page(capability=Capability.VIEW)
def closed_composer(request: Request, pk: int) -> HttpResponse:
    """The row of buttons: what Cancel and Esc bring back."""
    person = access.get_person(request.user, pk)
    may_log = request.user.may(Capability.LOG_ACTIVITY)
    return rendering.fragment(request, "leads/_composer.html", {"person": person, "may_log": may_log})


@page(capability=Capability.VIEW)
def tasks(request: Request) -> HttpResponse:
    """One's own open tasks."""
    return rendering.page(
        request,
        "leads/tasks.html",
        {"tasks": list(task_rows.open_of(request.user)[:200])},
        fragments={"tasks": "leads/_tasks.html"},
    )


@page(capability=Capability.LOG_ACTIVITY, methods=["POST"])
def complete(request: Request, pk: int) -> HttpResponse:
    """Mark a task as done; the toast takes it back."""
    task = access.get_activity(request.user, pk, capability=Capability.LOG_ACTIVITY)
    activities.complete_task(task=task, actor=request.user, now=request.now)
    toast = Toast(_("Done."), tone="ok", undo_url=reverse("leads:task_reopen", args=[pk]))
    return rendering.toast_only(request, toast, trigger=CHANGED)


@page(capability=Capability.LOG_ACTIVITY, methods=["POST"])
def reopen(request: Request, pk: int) -> HttpResponse:
    """Take the completion of a task back."""
    task = access.get_activity(request.user, pk, capability=Capability.LOG_ACTIVITY)
    activities.reopen_task(task=task, actor=request.user, now=request.now)
    return rendering.toast_only(request, Toast(_("The task is open again."), tone="ok"), trigger=CHANGED)


def _form(request: Request, kind: str) -> forms.Form:
    data = request.POST if request.method == "POST" else None
    if kind == ActivityKind.TASK:
        return TaskForm(data, user=request.user, now=request.now)
    return LogForm(kind, data, now=request.now)


def _save(request: Request, person: Person, kind: str, form: Any) -> Activity:
    if isinstance(form, TaskForm):
        return activities.add_task(person=person, **form.cleaned_data, actor=request.user, now=request.now)
    return activities.log(
        person=person, kind=kind, **form.values(now=request.now), actor=request.user, now=request.now
    )


def _composer(
    request: Request, person: Person, kind: str, form: forms.Form, *, status: int = 200
) -> HttpResponse:
    context = {
        "person": person,
        "kind": kind,
        "kind_label": ActivityKind(kind).label,
        "form": form,
        "may_log": True,
        "phones": [p for p in person.phones.all() if p.e164] if kind == ActivityKind.CALL else [],
        "emails": list(person.emails.all()) if kind == ActivityKind.MAIL else [],
        "holds": panels.build("person.contact", person, viewer=request.user, now=request.now)
        if kind in activities.ATTEMPTS
        else [],
    }
    return rendering.fragment(request, "leads/_composer.html", context, status=status)
