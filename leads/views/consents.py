"""Consent on the page of a person, recorded by hand, and the purposes it is asked for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from leads import access
from leads.forms.consents import NewPurposeForm, PurposeForm, RecordConsentForm
from leads.models import Lead, Person, Purpose
from leads.selectors import consents as reads
from leads.services import consents
from smarketing.core.errors import Missing
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User
from smarketing.web import asks, rendering
from smarketing.web.asks import Ask
from smarketing.web.pages import Request, page
from smarketing.web.panels import Panel
from smarketing.web.rendering import Toast

PURPOSES = "leads:purposes"


class NoSuchPurpose(Missing):
    """There is no purpose with this code."""


def panel(subject: Person | Lead, *, viewer: User, now: datetime) -> Panel:
    """What the person allows and forbids."""
    person = subject.person if isinstance(subject, Lead) else subject
    context = {
        "person": person,
        "consents": reads.state(person),
        "may_record": viewer.may(Capability.RECORD_CONSENT),
        "may_export": viewer.may(Capability.EXPORT),
        "may_erase": viewer.may(Capability.MANAGE_PRIVACY),
    }
    return Panel("leads/_consents.html", context, title=_("Consent"), id="consents")


@page(capability=Capability.RECORD_CONSENT, methods=["GET", "POST"])
def record(request: Request, pk: int) -> HttpResponse:
    """Write down what somebody said on the phone or signed on paper."""
    person = access.get_person(request.user, pk, capability=Capability.RECORD_CONSENT)
    form = RecordConsentForm(asks.given(request), initial={"occurred_at": timezone.localtime(request.now)})
    back = reverse("leads:person", args=[person.pk])
    ask = Ask(_("Record consent"), reverse("leads:consent_record", args=[person.pk]), back, form, _("Record"))

    def save(given: dict[str, Any]) -> HttpResponse:
        consents.record(person=person, **form.values(), actor=request.user, now=request.now)
        here = request.htmx.current_url_abs_path if request.htmx else None
        return rendering.redirect(request, here or back, toast=Toast(_("Recorded."), "ok"))

    return asks.answer(request, ask, save)


@page(capability=Capability.VIEW)
def purposes(request: Request) -> HttpResponse:
    """What consent is asked for."""
    context = {"purposes": reads.all_purposes(), "may_edit": request.user.may(Capability.EDIT_FORMS)}
    return rendering.page(request, "leads/purposes.html", context)


@page(capability=Capability.EDIT_FORMS, methods=["GET", "POST"])
def purpose_new(request: Request) -> HttpResponse:
    """A new purpose."""
    ask = Ask(
        _("New purpose"),
        reverse("leads:purpose_new"),
        reverse(PURPOSES),
        NewPurposeForm(asks.given(request)),
        _("Add"),
    )
    return asks.answer(request, ask, lambda given: _saved(request, given))


@page(capability=Capability.EDIT_FORMS, methods=["GET", "POST"])
def purpose_edit(request: Request, code: str) -> HttpResponse:
    """Change the words of a purpose; the wordings people agreed to stay as they were."""
    purpose = _purpose(code)
    initial = {n: getattr(purpose, n) for n in ("name", "description", "channel", "is_active")}
    form = PurposeForm(asks.given(request), initial=initial)
    address = reverse("leads:purpose_edit", args=[code])
    ask = Ask(purpose.name, address, reverse(PURPOSES), form, _("Save"))
    return asks.answer(request, ask, lambda given: _saved(request, {**given, "code": code}))


def _purpose(code: str) -> Purpose:
    found = reads.purpose_of(code)
    if found is None:
        raise NoSuchPurpose(_("There is no such purpose."))
    return found


def _saved(request: Request, given: dict[str, Any]) -> HttpResponse:
    consents.set_purpose(**given, actor=request.user, now=request.now)
    return rendering.redirect(request, PURPOSES, toast=Toast(_("Saved."), "ok"))
