"""What a user was told, and what they have read of it."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseNotModified
from django.shortcuts import get_object_or_404
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from smarketing.notifications.selectors import notifications as reads
from smarketing.notifications.services import notifications
from smarketing.users.domain.roles import Capability
from smarketing.web import keyset, query, rendering
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast

PAGE_SIZE = 50


@page(capability=Capability.VIEW)
def show(request: Request) -> HttpResponse:
    """The user's notifications, the latest first."""
    cursor = request.GET.get("cursor") or None
    notes = keyset.paginate(reads.visible_to(request.user), ordering=["-pk"], cursor=cursor, limit=PAGE_SIZE)
    context = {
        "notes": notes.rows,
        "next_url": query.changed(request.GET, cursor=notes.next) if notes.next else "",
        "unread": reads.unread_count(request.user),
    }
    fragments = {"notes-more": "web/_notifications.html", "notes": "web/_notes.html"}
    return rendering.page(request, "web/notifications.html", context, fragments=fragments)


@page(capability=Capability.VIEW)
def bell(request: Request) -> HttpResponse:
    """The bell with its present count, asked for every few seconds; 304 while nothing has come or was read.

    What has come since the state that the browser names is told in a toast beside it.
    """
    state = reads.unread(request.user)
    etag, known = f'"{state.tag}"', request.headers.get("If-None-Match", "")
    if known == etag:
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = rendering.fragment(request, "components/_bell.html", toast=_arrived(request, known))
        response["HX-Trigger"] = "notified"
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    return response


def _arrived(request: Request, known: str) -> Toast | None:
    seen = known.strip('"').rpartition("-")[2]
    if not known or not seen.isdecimal() or len(seen) > 18:
        return None
    note = reads.arrived_since(request.user, int(seen))
    return Toast(note.text.partition("\n")[0]) if note else None


@page(capability=Capability.VIEW, methods=["POST"])
def read_all(request: Request) -> HttpResponse:
    """Mark everything as read."""
    notifications.mark_read(user=request.user, now=request.now)
    return rendering.redirect(request, "web:notifications", toast=Toast(_("All read."), tone="ok"))


@page(capability=Capability.VIEW, methods=["POST"])
def follow(request: Request, pk: int) -> HttpResponse:
    """Mark one as read and go to what it is about."""
    note = get_object_or_404(reads.visible_to(request.user), pk=pk)
    notifications.mark_read(user=request.user, now=request.now, ids=[note.pk])
    is_ours = url_has_allowed_host_and_scheme(note.link, allowed_hosts={request.get_host()})
    return rendering.redirect(request, note.link if note.link and is_ours else "web:notifications")
