"""The calendar feed of a user's due times, and making or revoking its secret address."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache import caches
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from sla.selectors import feeds as read
from sla.services import feeds
from smarketing.users.domain.roles import Capability
from smarketing.web import asks, rendering
from smarketing.web.asks import Secret
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast
from smarketing.web.rest.throttling import WINDOW_SECONDS

READS_PER_MINUTE = 60


@page(public=True)
def feed(request: Request, token: str) -> HttpResponse:
    """The feed itself: whoever knows the address reads it, so it is long, secret and can be revoked."""
    window = int(request.now.timestamp() // WINDOW_SECONDS)
    counters: Any = caches["counters"]
    used = counters.count(f"feed:{request.META.get('REMOTE_ADDR', '')}:{window}", 2 * WINDOW_SECONDS)
    if used is not None and used > READS_PER_MINUTE:
        return HttpResponse(status=429, headers={"Retry-After": str(WINDOW_SECONDS)})
    user = feeds.read(token=token, now=request.now)
    if user is None:
        raise Http404
    host = urlsplit(settings.SITE_URL).hostname or "localhost"
    with translation.override(user.locale):
        body = read.document(user, site=settings.SITE_URL.rstrip("/"), host=host, now=request.now)
    response = HttpResponse(body, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'inline; filename="promises.ics"'
    response["Cache-Control"] = "private, no-store"
    return response


@page(capability=Capability.VIEW, methods=["POST"])
def issue(request: Request) -> HttpResponse:
    """Make an address; it is shown this once, and one made before stops working."""
    issued = feeds.issue(user=request.user, now=request.now)
    address = f"{settings.SITE_URL.rstrip('/')}{reverse('sla:feed', args=[issued.token])}"
    secret = Secret(
        _("Calendar feed"),
        _("Address"),
        address,
        _("Copy it into your calendar now; it is shown this once. Whoever knows it reads your dates."),
        reverse("sla:mine"),
    )
    return asks.show_once(request, secret)


@page(capability=Capability.VIEW, methods=["POST"])
def revoke(request: Request) -> HttpResponse:
    """Let the address stop working."""
    feeds.revoke(user=request.user, now=request.now)
    return rendering.redirect(request, "sla:mine", toast=Toast(_("The address no longer works."), "ok"))
