"""The settings page."""

from __future__ import annotations

from django.http import HttpResponse

from smarketing.users.domain.roles import Capability
from smarketing.web import rendering, settings_pages
from smarketing.web.pages import Request, page


@page(capability=Capability.VIEW)
def show(request: Request) -> HttpResponse:
    """Every page where something is set up, that the user may open."""
    return rendering.page(request, "web/settings.html", {"cards": settings_pages.cards(request.user)})
