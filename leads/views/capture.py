"""Typing in a lead."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from leads.forms.records import NewLeadForm
from leads.selectors import duplicates
from leads.selectors import leads as lead_rows
from leads.services import companies, leads, people
from leads.services.leads import Captured
from smarketing.core.errors import DomainError, Invalid
from smarketing.users.domain.roles import Capability
from smarketing.web import rendering
from smarketing.web.forms import refusals
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast


@page(capability=Capability.EDIT_LEADS, methods=["GET", "POST"])
def new(request: Request) -> HttpResponse:
    """The form of a new lead; a person who is known gets no second record."""
    form = NewLeadForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            captured = leads.capture(
                source=None,
                **form.values(),
                captured_at=request.now,
                actor=request.user,
                now=request.now,
            )
        except DomainError as error:
            refusals.add_error(form, error)
        else:
            return _to(request, captured)
    status = 422 if form.errors else 200
    return rendering.page(request, "leads/lead_new.html", {"form": form}, status=status)


@page(capability=Capability.EDIT_LEADS)
def known(request: Request) -> HttpResponse:
    """Whether the person who is being typed in is known already."""
    try:
        person = people.find(
            emails=[request.GET.get("emails", "")[:320]], phones=[request.GET.get("phones", "")[:60]]
        )
    except Invalid:  # half an address, while it is being typed
        person = None
    lead = lead_rows.open_of(person.pk) if person else None
    context = {"person": person, "lead": lead, "alike": [] if person else _alike(request)}
    return rendering.fragment(request, "leads/_known.html", context)


def _alike(request: Request) -> list[duplicates.Match]:
    """Who looks like the one that is being typed in, though neither address nor number is the same."""
    given = {name: request.GET.get(name, "")[:320] for name in ("first_name", "last_name", "country")}
    return duplicates.like(
        duplicates.typed_in(
            **given,
            emails=[request.GET.get("emails", "")[:320]],
            phones=[request.GET.get("phones", "")[:60]],
            company=companies.find(name=request.GET.get("company", "")[:255]),
        ),
        limit=3,
    )


def _to(request: Request, captured: Captured) -> HttpResponse:
    text = (
        _("Lead added.")
        if captured.created
        else _("This person has an open lead already. What was new has been added to it.")
    )
    address = reverse("leads:lead", args=[captured.lead.pk])
    return rendering.redirect(request, address, toast=Toast(text, tone="ok" if captured.created else "info"))
