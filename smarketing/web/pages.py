"""The one door to every page: who may open it, by which method.

Each view carries ``@page``. It sends strangers to the sign-in page, asks the role → capability table
and records the rule on the view, so that a test can list every address with what it demands.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.shortcuts import redirect, resolve_url
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django_htmx.middleware import HtmxDetails

from smarketing.core.errors import Denied
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User


class Request(HttpRequest):
    """A request of a signed-in user, as views behind ``@page`` receive it."""

    user: User
    htmx: HtmxDetails
    now: datetime


View = TypeVar("View", bound=Callable[..., HttpResponseBase])


@dataclass(frozen=True, slots=True)
class PageRule:
    """What a view demands. ``capability`` is ``None`` for a public page or any signed-in user."""

    capability: Capability | None
    public: bool
    methods: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Address:
    """One address of the site; ``rule`` is ``None`` when the view is not behind ``@page``."""

    route: str
    name: str
    rule: PageRule | None
    view: str


class PageDenied(Denied):
    """The signed-in user's role lacks the page's capability."""


def page(
    *,
    capability: Capability | None = None,
    public: bool = False,
    methods: Sequence[str] = ("GET",),
) -> Callable[[View], View]:
    """Guard a view: signed in (unless ``public``), with ``capability``, by one of ``methods``.

    A page that needs only a sign-in gives ``capability=Capability.VIEW``. HEAD comes with GET.
    """
    if public and capability is not None:
        raise ValueError("a public page can't demand a capability")
    rule = PageRule(capability=capability, public=public, methods=tuple(methods))
    allowed = {*methods, *(["HEAD"] if "GET" in methods else [])}

    def guard(view: View) -> View:
        @functools.wraps(view)
        def guarded(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method not in allowed:
                return HttpResponseNotAllowed(sorted(allowed))
            if not public:
                if not request.user.is_authenticated:
                    return _to_sign_in(request)
                if capability is not None and not request.user.may(capability):
                    raise PageDenied(_("Your role does not allow this. Ask an admin if you need it."))
            return view(request, *args, **kwargs)

        guarded.page_rule = rule  # type: ignore[attr-defined]
        return cast(View, guarded)

    return guard


def addresses() -> list[Address]:
    """Every address of the site with its rule, for the URL × role matrix."""
    return sorted(_walk(get_resolver().url_patterns, ""), key=lambda a: a.route)


def _walk(patterns: Sequence[URLPattern | URLResolver], prefix: str) -> Iterator[Address]:
    for entry in patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _walk(entry.url_patterns, route)
        else:
            callback = entry.callback
            yield Address(
                route=route,
                name=entry.name or "",
                rule=getattr(callback, "page_rule", None),
                view=f"{callback.__module__}.{getattr(callback, '__qualname__', type(callback).__name__)}",
            )


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    """Send a stranger to the sign-in page and back; htmx is told to load it as a page."""
    htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]
    back = htmx.current_url_abs_path if htmx else request.get_full_path()
    address = f"{resolve_url('account_login')}?{urlencode({'next': back or '/'})}"
    if not htmx:
        return redirect(address)
    response = HttpResponse(status=401)
    response["HX-Redirect"] = address
    patch_vary_headers(response, ["HX-Request"])
    return response
