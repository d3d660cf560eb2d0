"""Answers of views: a whole page, a fragment of it, or nothing but a toast.

A page names its fragments by the id of the element they fill. A browser gets the page; htmx, asking
for one of these elements, gets that fragment rendered with the same context. The answer varies by
the request's htmx headers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers

Context = Mapping[str, Any]
_VARY = ("HX-Request", "HX-Request-Type", "HX-Target")


@dataclass(frozen=True, slots=True)
class Toast:
    """A short message; ``undo_url`` (POST) offers to take the change back for ten seconds."""

    text: str
    tone: str = "info"
    undo_url: str = ""


def wants_fragment(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of a page."""
    htmx = request.htmx  # type: ignore[attr-defined]
    return bool(htmx) and htmx.request_type != "full" and not htmx.history_restore_request


def target_id(request: HttpRequest) -> str:
    """The id of the element htmx will fill ("lead-rows"), or an empty string."""
    return unquote(request.headers.get("HX-Target", "").partition("#")[2])


def page(
    request: HttpRequest,
    template: str,
    context: Context | None = None,
    *,
    fragments: Mapping[str, str] | None = None,
    status: int = 200,
    toast: Toast | None = None,
) -> HttpResponse:
    """Render ``template``, or for htmx the fragment of the element it fills.

    ``fragments`` maps element ids to templates. A partial request for an id that is not listed gets
    the whole page.
    """
    name = template
    if fragments and wants_fragment(request):
        name = fragments.get(target_id(request), template)
    return _respond(request, name, context, status=status, toast=toast)


def fragment(
    request: HttpRequest,
    template: str,
    context: Context | None = None,
    *,
    status: int = 200,
    toast: Toast | None = None,
    trigger: str = "",
) -> HttpResponse:
    """Render a fragment for htmx, with a toast beside it and an event fired after the swap."""
    response = _respond(request, template, context, status=status, toast=toast)
    if trigger:
        response["HX-Trigger"] = trigger
    return response


def toast_only(request: HttpRequest, toast: Toast, *, status: int = 200, trigger: str = "") -> HttpResponse:
    """Change nothing on the page but show ``toast``."""
    response = HttpResponse(_toast_html(request, toast), status=status)
    response["HX-Reswap"] = "none"
    if trigger:
        response["HX-Trigger"] = trigger
    patch_vary_headers(response, _VARY)
    return response


def redirect(request: HttpRequest, to: Any, *, toast: Toast | None = None) -> HttpResponse:
    """Go to another page after a change; the toast is shown there."""
    address = resolve_url(to)
    if toast is not None:
        messages.info(request, toast.text, extra_tags=f"{toast.tone} {toast.undo_url}".strip())
    if request.htmx:  # type: ignore[attr-defined]
        response = HttpResponse(status=200)
        response["HX-Redirect"] = address
        patch_vary_headers(response, _VARY)
        return response
    return HttpResponseRedirect(address, status=303)


def _respond(
    request: HttpRequest, template: str, context: Context | None, *, status: int, toast: Toast | None
) -> HttpResponse:
    html: str = render_to_string(template, dict(context or {}), request=request)
    if toast is not None:
        html += _toast_html(request, toast)
    response = HttpResponse(html, status=status)
    patch_vary_headers(response, _VARY)
    return response


def _toast_html(request: HttpRequest, toast: Toast) -> str:
    return render_to_string("components/_toast.html", {"toast": toast, "oob": True}, request=request)
