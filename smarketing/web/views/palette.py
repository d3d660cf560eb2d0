"""What the command palette found."""

from __future__ import annotations

from django.http import HttpResponse

from smarketing.users.domain.roles import Capability
from smarketing.web import palette, rendering
from smarketing.web.pages import Request, page


@page(capability=Capability.VIEW)
def search(request: Request) -> HttpResponse:
    """The hits for ``q`` as a list of options."""
    text = request.GET.get("q", "")
    groups = palette.search(request.user, text)
    return rendering.fragment(request, "web/_palette_hits.html", {"groups": groups, "text": text})
