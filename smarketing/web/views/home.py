"""The first page of a role."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static

from smarketing.users.domain.roles import Capability
from smarketing.web import navigation
from smarketing.web.pages import Request, page


@page(capability=Capability.VIEW)
def home(request: Request) -> HttpResponse:
    """Go to the page that the user's role sees first."""
    return redirect(navigation.first_page(request.user))


@page(public=True)
def favicon(request: Request) -> HttpResponse:
    """Where browsers look by themselves when a page names no icon."""
    return redirect(static("web/img/mark.svg"))
