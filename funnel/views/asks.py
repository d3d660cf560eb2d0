"""Small forms in dialogs: one shape for all of them."""

from __future__ import annotations

from dataclasses import dataclass

from django import forms
from django.http import HttpResponse
from django.utils.functional import Promise

from smarketing.core.errors import DomainError
from smarketing.web import rendering
from smarketing.web.forms import refusals
from smarketing.web.pages import Request
from smarketing.web.rendering import Toast

Text = str | Promise
CHANGED = "record-changed"


@dataclass(frozen=True, slots=True)
class Ask:
    """A dialog that asks for something: its form, where it goes, and what its button says."""

    id: str
    title: Text
    url: str
    form: forms.Form
    submit: Text
    about: Text = ""
    danger: bool = False


def again(request: Request, ask: Ask, *, status: int = 422) -> HttpResponse:
    """The form with what is wrong, in its dialog, or as a page where there are no scripts."""
    template = "funnel/_ask_form.html" if request.htmx else "funnel/ask.html"
    return rendering.fragment(request, template, {"ask": ask}, status=status)


def refused(request: Request, ask: Ask, error: DomainError) -> HttpResponse:
    """The form with what the service refused."""
    refusals.add_error(ask.form, error)
    return again(request, ask, status=error.status)


def done(request: Request, back: str, toast: Toast, *, trigger: str = CHANGED) -> HttpResponse:
    """After a change: a toast and an event for htmx, which reloads what shows it; else the page."""
    if request.htmx:
        return rendering.toast_only(request, toast, trigger=trigger)
    return rendering.redirect(request, back, toast=toast)
