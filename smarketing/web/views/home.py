"""The first page of a role."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect

from smarketing.users.domain.roles import Capability
from smarketing.web import navigation
from smarketing.web.pages import Request, page


@page(capability=Capability.VIEW)
def home(request: Request) -> HttpResponse:
    """Go to the first entry of the user's menu."""
    entries = navigation.entries(request.user, request.path)
    return redirect(entries[0].url if entries else "web:profile")
