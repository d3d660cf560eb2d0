"""The organisation: what everything falls back to."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from smarketing.users.domain.roles import Capability
from smarketing.users.selectors import organisation as reads
from smarketing.users.services import organisation
from smarketing.web import asks, rendering
from smarketing.web.asks import Ask
from smarketing.web.forms.people import OrganisationForm
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast


@page(capability=Capability.VIEW)
def show(request: Request) -> HttpResponse:
    """Name, zone, currency and country."""
    may_manage = request.user.may(Capability.MANAGE_USERS)
    context = {"organisation": reads.current(), "may_manage": may_manage}
    return rendering.page(request, "settings/organisation.html", context)


@page(capability=Capability.MANAGE_USERS, methods=["GET", "POST"])
def edit(request: Request) -> HttpResponse:
    """Change them; an edit that comes after somebody else's is refused."""
    present = reads.current()
    initial = {name: getattr(present, name) for name in (*organisation.FIELDS, "version")}
    form = OrganisationForm(asks.given(request), initial=initial)
    back = reverse("web:organisation")
    ask = Ask(_("Organisation"), reverse("web:organisation_edit"), back, form, _("Save"))

    def save(given: dict[str, Any]) -> HttpResponse:
        version = given.pop("version")
        organisation.update(changes=given, expected_version=version, actor=request.user, now=request.now)
        return rendering.redirect(request, "web:organisation", toast=Toast(_("Saved."), "ok"))

    return asks.answer(request, ask, save)
