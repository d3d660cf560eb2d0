"""What all public addresses of forms share: whom they serve, how much, and what is read of a request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from leads.domain import form_layouts
from leads.models import Form
from leads.selectors import suppression
from leads.services import public_limits
from leads.services.form_answers import MOST_CHARACTERS, MOST_MEMBERS
from smarketing.core.errors import Denied, Invalid

PER_NETWORK, PER_FORM = 20, 600  # answers a minute
FRAMED = "form_framed"


class ForeignSite(Denied):
    """The form does not take answers from this website."""

    code = "foreign_site"


class TooLarge(Invalid):
    """More was sent than any form asks."""

    code = "too_large"
    status = 413


def now_of(request: HttpRequest) -> datetime:
    """The instant of the request."""
    found: datetime = request.now  # type: ignore[attr-defined]
    return found


def ip_of(request: HttpRequest) -> str:
    """The client's address, behind trusted proxies."""
    return str(request.META.get("REMOTE_ADDR", ""))


def admit(request: HttpRequest, form: Form) -> None:
    """Raises ``TooManyRequests`` or :class:`ForeignSite`; counts the request."""
    who = suppression.ip_hash(ip_of(request))[:16]
    public_limits.count(key=f"form:{form.pk}:{who}", limit=PER_NETWORK, now=now_of(request))
    public_limits.count(key=f"form:{form.pk}", limit=PER_FORM, now=now_of(request))
    origin = request.headers.get("Origin", "")
    if form.sites and origin and origin.lower() not in (*form.sites, _own()):
        raise ForeignSite(_("This form does not take answers from this website."))


def bounded(given: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """The texts of a request by name. Raises :class:`TooLarge`."""
    found = {str(name)[:200]: [str(text) for text in texts] for name, texts in given.items()}
    size = sum(len(n) + sum(map(len, texts)) for n, texts in found.items())
    if len(found) > MOST_MEMBERS or size > MOST_CHARACTERS:
        raise TooLarge(_("That is more than this form asks."))
    return found


def answers_of(given: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """What was answered: all but what the page itself sends along."""
    return {n: list(texts) for n, texts in given.items() if n not in form_layouts.RESERVED}


def first(given: Mapping[str, Sequence[str]], name: str) -> str:
    """One text of a request, or an empty one."""
    texts = given.get(name) or [""]
    return texts[0]


def http_url(text: str) -> str:
    """An http(s) address as it was told; "" for anything else."""
    text = text.strip()[:2000]
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    return text if parts.scheme in ("http", "https") and parts.netloc else ""


def may_lead_to(form: Form, url: str) -> str:
    """``url`` if its host is among those that the form may lead to, else ""."""
    return url if form_layouts.host_of(url) in form.redirect_hosts else ""


def cors(request: HttpRequest, response: HttpResponse, form: Form | None) -> HttpResponse:
    """Let scripts of the form's sites read the answer; others get no permission."""
    origin = request.headers.get("Origin", "")
    if origin and (form is None or not form.sites or origin.lower() in (*form.sites, _own())):
        response["Access-Control-Allow-Origin"] = origin
        response["Access-Control-Allow-Methods"] = "POST, OPTIONS"
        response["Access-Control-Expose-Headers"] = "Retry-After"
        if asked := request.headers.get("Access-Control-Request-Headers", ""):
            response["Access-Control-Allow-Headers"] = _header_names(asked)
        response["Access-Control-Max-Age"] = "600"
    response["Vary"] = "Origin"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def framed(response: HttpResponse, form: Form, *, go_to: Sequence[str] = ()) -> HttpResponse:
    """Let the form's sites show the page in a frame, and its answer lead to hosts it may lead to."""
    changes: dict[str, Any] = {"frame-ancestors": list(form.sites) or ["*"]}
    if form.redirect_hosts or go_to:
        hosts = [f"{scheme}://{host}" for host in form.redirect_hosts for scheme in ("https", "http")]
        changes["form-action"] = ["'self'", *hosts]
    response._csp_replace = changes  # type: ignore[attr-defined]
    response.xframe_options_exempt = True
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    response["Referrer-Policy"] = "strict-origin-when-cross-origin"
    response["Cache-Control"] = "no-store"
    return response


def own_address(path: str) -> str:
    """A page of ours as it is addressed from outside; the Host header is not asked."""
    return f"{settings.SITE_URL}{path}"


def _own() -> str:
    return str(settings.SITE_URL).lower()


def _header_names(text: str) -> str:
    names = [n.strip() for n in text.split(",")][:30]
    return ", ".join(n for n in names if n.isascii() and n.replace("-", "").isalnum())
