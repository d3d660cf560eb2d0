"""Forms that are asked for in a dialog: one shape for all of them.

The address of such a form is a page of its own where there are no scripts. htmx gets a dialog that
opens as it arrives, and after a refusal the form again with what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpResponse, QueryDict
from django.utils.functional import Promise

from smarketing.core.errors import DomainError
from smarketing.web import rendering
from smarketing.web.forms import refusals
from smarketing.web.pages import Request

Text = str | Promise
Save = Callable[[dict[str, Any]], HttpResponse]


class AskForm(forms.Form):
    """A form whose ids differ from those of the filters on the page below the dialog."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("auto_id", "ask_%s")
        super().__init__(*args, **kwargs)


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked: the form, where it goes, what its button says, and the page to go ``back`` to.

    ``closes``: the answer to what was accepted swaps itself in elsewhere, so the dialog closes.
    """

    title: Text
    url: str
    back: str
    form: forms.Form
    submit: Text
    about: Text = ""
    danger: bool = False
    closes: bool = False


@dataclass(frozen=True, slots=True)
class Secret:
    """Something that is shown once, in the answer that made it and nowhere else."""

    title: Text
    label: Text
    value: str
    about: Text
    back: str


def given(request: Request) -> QueryDict | None:
    """What binds the form: the fields that were sent, or nothing while it is only asked."""
    return request.POST if request.method == "POST" else None


def answer(request: Request, ask: Ask, save: Save) -> HttpResponse:
    """Ask, or ``save`` what was given; what a service refuses comes back beside the fields."""
    if request.method != "POST":
        template = "components/ask_dialog.html" if request.htmx else "components/ask.html"
        return rendering.fragment(request, template, {"ask": ask})
    status = 422
    if ask.form.is_valid():
        try:
            return save(ask.form.cleaned_data)
        except DomainError as error:
            refusals.add_error(ask.form, error)
            status = error.status
    template = "components/ask_form.html" if request.htmx else "components/ask.html"
    return rendering.fragment(request, template, {"ask": ask}, status=status)


def show_once(request: Request, secret: Secret) -> HttpResponse:
    """Show a secret in place of the form that made it; no later answer holds it."""
    template = "components/secret.html" if request.htmx else "components/secret_page.html"
    response = rendering.fragment(request, template, {"secret": secret}, trigger="record-changed")
    response["Cache-Control"] = "no-store"
    return response
