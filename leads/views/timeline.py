"""The timeline of a person or a company: its tabs, its further pages, and its live top."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse, HttpResponseNotModified
from django.urls import reverse
from django.utils.translation import gettext as _

from leads import access
from leads.models import Company
from leads.selectors import timeline, visits
from leads.selectors.timeline import Category, Entry, Facts, Subject, Timeline
from smarketing.users.domain.roles import Capability
from smarketing.web import rendering
from smarketing.web.pages import Request, page


def context(subject: Subject, *, only: str = "", of: str = "", before: str = "") -> Mapping[str, Any]:
    """What ``leads/_timeline.html`` shows. Raises ``timeline.BadPosition``."""
    chosen, facts = _choice(only, of)
    read: Any = timeline.of_company if isinstance(subject, Company) else timeline.of_person
    found: Timeline = read(subject, before=timeline.position_of(before), only=chosen, of=facts)
    return {
        **_frame(subject, only if chosen else "", of if facts else ""),
        **_shown(found.entries, str(found.next) if found.next else ""),
    }


@page(capability=Capability.VIEW)
def show(request: Request, pk: int) -> HttpResponse:
    """A person's timeline, narrowed by ``only`` and ``of``; with ``before`` the rows below that place."""
    return _show(request, access.get_person(request.user, pk))


@page(capability=Capability.VIEW)
def show_company(request: Request, pk: int) -> HttpResponse:
    """The same for all people of a company."""
    return _show(request, access.get_company(request.user, pk))


@page(capability=Capability.VIEW)
def live(request: Request, pk: int) -> HttpResponse:
    """The top of a person's timeline down to ``floor``; 304 while it reads as the browser has it."""
    return _live(request, access.get_person(request.user, pk))


@page(capability=Capability.VIEW)
def live_company(request: Request, pk: int) -> HttpResponse:
    """The same for all people of a company."""
    return _live(request, access.get_company(request.user, pk))


@page(capability=Capability.VIEW)
def visit(request: Request, pk: int, visit: int) -> HttpResponse:
    """What a person did in one visit, page by page, with the points each counted for."""
    person = access.get_person(request.user, pk)
    steps = visits.steps_of(person, visit)
    if steps is None:
        raise access.NoSuchRecord(_("There is no such visit."))
    return rendering.page(
        request,
        "leads/visit.html",
        {"person": person, "visit": steps},
        fragments={"": "leads/_visit.html"},
    )


def _show(request: Request, subject: Subject) -> HttpResponse:
    before = request.GET.get("before", "")
    template = "leads/_timeline_rows.html" if before else "leads/_timeline.html"
    only, of = request.GET.get("only", ""), request.GET.get("of", "")
    return rendering.fragment(request, template, context(subject, only=only, of=of, before=before))


def _live(request: Request, subject: Subject) -> HttpResponse:
    only, of, floor = (request.GET.get(name, "") for name in ("only", "of", "floor"))
    chosen, facts = _choice(only, of)
    found = timeline.down_to(subject, timeline.position_of(floor), only=chosen, of=facts)
    if found is None:  # too much is new: the whole timeline begins anew
        response = rendering.fragment(request, "leads/_timeline.html", context(subject, only=only, of=of))
        response["HX-Retarget"], response["HX-Reswap"] = "#record-timeline", "innerHTML"
        return response
    shown = _shown(found.entries, floor)
    etag = f'"{shown["fingerprint"]}"'
    if request.headers.get("If-None-Match") == etag:
        answer: HttpResponse = HttpResponseNotModified()
    else:
        frame = _frame(subject, only if chosen else "", of if facts else "")
        answer = rendering.fragment(request, "leads/_timeline_head.html", {**frame, **shown})
    answer["ETag"] = etag
    answer["Cache-Control"] = "private, no-cache"
    return answer


def _choice(only: str, of: str) -> tuple[list[Category], Facts | None]:
    """The tab and whose facts; what is neither narrows nothing."""
    return [Category(only)] if only in set(Category) else [], Facts(of) if of in set(Facts) else None


def _frame(subject: Subject, only: str, of: str) -> Mapping[str, Any]:
    is_company = isinstance(subject, Company)
    name = "leads:company_timeline" if is_company else "leads:timeline"
    given = {"only": only, "of": of}
    return {
        "only": only,
        "of": of,
        "tabs": timeline.categories(companies=is_company),
        "facts_of": list(Facts),
        "timeline_url": reverse(name, args=[subject.pk]),
        "live_url": reverse(f"{name}_live", args=[subject.pk]),
        "timeline_query": urlencode({key: value for key, value in given.items() if value}),
    }


def _shown(entries: Sequence[Entry], following: str) -> dict[str, Any]:
    return {"entries": entries, "next": following, "fingerprint": _fingerprint(entries)}


def _fingerprint(entries: Sequence[Entry]) -> str:
    """A digest of what the entries say, without the words for how long ago it was."""
    told = [(str(e.position), str(e.title), str(e.detail), e.tone, str(e.who)) for e in entries]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:20]
