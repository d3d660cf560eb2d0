"""Pages for people outside: confirm a consent, unsubscribe, see and change what they allow.

The signed token in the address is the authority, so these pages need no sign-in, no cookie and no CSRF
token (RFC 8058 asks for exactly that). GET shows and changes nothing; POST acts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from leads.models import Person
from leads.selectors import consent_links
from leads.selectors import consents as reads
from leads.services import consents
from smarketing.web.pages import page


@csrf_exempt
@page(public=True, methods=["GET", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """The second half of a double opt-in. Looking is not confirming: link scanners look."""
    entry = consent_links.pending(token)
    if entry is None or entry.person is None:
        return _gone(request)
    done = request.method == "POST"
    if done:
        consents.confirm(entry=entry, ip=_ip(request), now=request.now)  # type: ignore[attr-defined]
    context = {"entry": entry, "done": done, "preferences_url": consent_links.preferences_path(entry.person)}
    return _show(request, "public/consent_confirm.html", context)


@csrf_exempt
@page(public=True, methods=["GET", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """One click ends it, for mail programs (POST) and people (GET, then a button)."""
    leaving = consent_links.leaving(token)
    if leaving is None:
        return _gone(request)
    done = request.method == "POST"
    if done:
        consents.leave(
            person=leaving.person,
            purpose=leaving.purpose,
            source="one-click unsubscribe",
            ip=_ip(request),
            now=request.now,  # type: ignore[attr-defined]
        )
    context = {
        "purpose": leaving.purpose,
        "done": done,
        "preferences_url": consent_links.preferences_path(leaving.person),
    }
    return _show(request, "public/unsubscribe.html", context)


@csrf_exempt
@page(public=True, methods=["GET", "POST"])
def preferences(request: HttpRequest, token: str) -> HttpResponse:
    """What a person allows, by purpose. It tells purposes and ticks, and nothing else about them."""
    person = consent_links.choosing(token)
    if person is None:
        return _gone(request)
    if request.method == "POST":
        _choose(request, person)
    purposes = [p for p in reads.state(person).purposes if p.purpose.is_active]
    return _show(
        request, "public/preferences.html", {"purposes": purposes, "saved": request.method == "POST"}
    )


def _choose(request: HttpRequest, person: Person) -> None:
    now = request.now  # type: ignore[attr-defined]
    nothing = request.POST.get("everything") == "off"
    present = {p.purpose.code: p.state for p in reads.state(person).purposes}
    wanted = [] if nothing else request.POST.getlist("purpose")
    consents.choose(person=person, wanted=wanted, present=present, ip=_ip(request), now=now)
    if nothing:
        consents.leave(person=person, purpose=None, source="preference page", ip=_ip(request), now=now)


def _gone(request: HttpRequest) -> HttpResponse:
    return _show(request, "public/gone.html", {"title": _("This link has ended")}, status=404)


def _show(request: HttpRequest, template: str, context: Mapping[str, Any], status: int = 200) -> HttpResponse:
    response = render(request, template, dict(context), status=status)
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"  # the address is the authority
    return response


def _ip(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))
