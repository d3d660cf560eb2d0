"""Handing out and erasing what is known about a person, and how long data is kept."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from leads import access
from leads.domain import retention as classes
from leads.forms.privacy import EraseForm, RetentionForm
from leads.models import Person
from leads.selectors import people
from leads.services import erasure, exports, retention
from smarketing.core.errors import DomainError, Missing
from smarketing.users.domain.roles import Capability
from smarketing.web import asks, rendering
from smarketing.web.asks import Ask
from smarketing.web.forms import refusals
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast

RETENTION = "leads:retention"
LABELS = {
    "answers": (gettext_lazy("Answers to forms"), gettext_lazy("The raw answers; leads stay.")),
    "quarantine": (gettext_lazy("Doubtful answers"), gettext_lazy("In quarantine or discarded.")),
    "anonymous_events": (
        gettext_lazy("Steps of strangers"),
        gettext_lazy("Events of visitors without a name."),
    ),
    "dead_letters": (gettext_lazy("Dead letters"), gettext_lazy("Tracking messages that could not be used.")),
    "notifications": (gettext_lazy("Notices"), gettext_lazy("What users were told in the product.")),
    "outbox": (
        gettext_lazy("Sent messages"),
        gettext_lazy("Mails and webhooks that were delivered or given up."),
    ),
    "audit": (gettext_lazy("Audit trail"), gettext_lazy("Who changed what in the set-up.")),
}


class NoSuchClass(Missing):
    """There is no such class of data."""


@page(capability=Capability.EXPORT, methods=["POST"])
def export(request: Request, pk: int) -> HttpResponse:
    """Everything known about the person as a file. A POST, for the audit trail keeps it."""
    person = access.get_person(request.user, pk, capability=Capability.EXPORT)
    told = exports.of_person(person=person, actor=request.user, now=request.now)
    response = JsonResponse(told, json_dumps_params={"indent": 1, "ensure_ascii": False})
    response["Content-Disposition"] = f'attachment; filename="person-{person.pk}.json"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


@page(capability=Capability.MANAGE_PRIVACY, methods=["GET", "POST"])
def erase(request: Request, pk: int) -> HttpResponse:
    """What an erasure would take, and the erasure, confirmed by typing the name."""
    person = access.get_person(request.user, pk, capability=Capability.MANAGE_PRIVACY)
    name = _typed_name(person)
    form = EraseForm(request.POST if request.method == "POST" else None, expected=name)
    if form.is_valid():
        try:
            erasure.erase(
                person=person, reason=form.cleaned_data["reason"], actor=request.user, now=request.now
            )
        except DomainError as error:
            refusals.add_error(form, error)
        else:
            toast = Toast(_("Erased. The sweep for the last traces runs in the background."), "ok")
            return rendering.redirect(request, "/", toast=toast)
    context = {"person": person, "name": name, "form": form, "plan": erasure.plan(person=person)}
    return rendering.page(request, "leads/erase.html", context, status=422 if form.errors else 200)


@page(capability=Capability.VIEW)
def retention_list(request: Request) -> HttpResponse:
    """How long each class of data is kept, and what the next run removes."""
    rows = [
        {"standing": each, "label": LABELS[each.data_class.code][0], "about": LABELS[each.data_class.code][1]}
        for each in retention.standing(now=request.now)
    ]
    context = {"rows": rows, "may_edit": request.user.may(Capability.MANAGE_PRIVACY)}
    return rendering.page(request, "leads/retention.html", context)


@page(capability=Capability.MANAGE_PRIVACY, methods=["GET", "POST"])
def retention_edit(request: Request, code: str) -> HttpResponse:
    """Set for how long a class is kept."""
    if code not in classes.BY_CODE:
        raise NoSuchClass(_("There is no such class of data."))
    found = next(s for s in retention.standing(now=request.now) if s.data_class.code == code)
    form = RetentionForm(asks.given(request), initial={"days": found.rule.days})
    address = reverse("leads:retention_edit", args=[code])
    ask = Ask(LABELS[code][0], address, reverse(RETENTION), form, _("Save"), about=LABELS[code][1])

    def save(given: dict[str, Any]) -> HttpResponse:
        retention.keep(data_class=code, days=given["days"], actor=request.user, now=request.now)
        return rendering.redirect(request, RETENTION, toast=Toast(_("Saved."), "ok"))

    return asks.answer(request, ask, save)


def _typed_name(person: Person) -> str:
    """What is typed to confirm: the name, else the first address, else a word."""
    return person.name or people.first_address(person) or _("erase")
