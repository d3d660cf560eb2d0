"""The timeline of a person: its tabs and its further pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.urls import reverse

from leads import access
from leads.models import Person
from leads.selectors import timeline
from leads.selectors.timeline import Category
from smarketing.users.domain.roles import Capability
from smarketing.web import rendering
from smarketing.web.pages import Request, page


def context(person: Person, *, only: str = "", before: str = "") -> Mapping[str, Any]:
    """What ``leads/_timeline.html`` shows. Raises ``timeline.BadPosition``."""
    chosen = [Category(only)] if only in set(Category) else []
    found = timeline.of_person(person, before=timeline.position_of(before), only=chosen)
    return {
        "entries": found.entries,
        "next": str(found.next) if found.next else "",
        "only": only if chosen else "",
        "tabs": timeline.categories(),
        "timeline_url": reverse("leads:timeline", args=[person.pk]),
    }


@page(capability=Capability.VIEW)
def show(request: Request, pk: int) -> HttpResponse:
    """The timeline, narrowed by ``only``; with ``before`` just the rows below that place."""
    person = access.get_person(request.user, pk)
    before = request.GET.get("before", "")
    template = "leads/_timeline_rows.html" if before else "leads/_timeline.html"
    shown = context(person, only=request.GET.get("only", ""), before=before)
    return rendering.fragment(request, template, shown)
