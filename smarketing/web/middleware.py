"""What every request of a browser goes through."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils import timezone, translation

from smarketing.core import clock
from smarketing.web import errors, formats, problems

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class RequestClock:
    """Reads the clock once: ``request.now`` is the instant of everything this request does."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.now = clock.now()  # type: ignore[attr-defined]
        return self.get_response(request)


class NulRefusal:
    """Refuses NUL in the address: PostgreSQL can't store it and no honest client sends it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        query = request.META.get("QUERY_STRING", "")
        if "\x00" in request.path or "\x00" in query or "%00" in query:
            if request.path.startswith(errors.API_PREFIX):
                body = errors.of_status(400).body(instance="")
                return JsonResponse(body, status=400, content_type="application/problem+json")
            return errors.plain(errors.of_status(400))
        return self.get_response(request)


class ViewerFormats:
    """Shows times in the viewer's zone and numbers in the viewer's format."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        user = getattr(request, "user", None)
        if user is None or not user.is_authenticated:
            formats.activate(translation.get_language() or "en")
            return self.get_response(request)
        formats.activate(user.locale)
        with timezone.override(_zone(user.time_zone)):
            return self.get_response(request)


class NoStore:
    """Keeps pages of signed-in users out of every cache, also that of a shared computer.

    Signing out clears what the browser holds of this site, so that Back shows nothing.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        was_signed_in = _is_signed_in(request)
        response = self.get_response(request)
        is_signed_in = _is_signed_in(request)
        if (was_signed_in or is_signed_in) and "Cache-Control" not in response:
            response["Cache-Control"] = "no-store"
        if was_signed_in and not is_signed_in:
            response["Clear-Site-Data"] = '"cache"'
        return response


class Problems:
    """Shows what a service refused: a page for a browser, a toast for htmx."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """Answer a known refusal; a fault of ours stays an exception and becomes a 500."""
        problem = problems.of(exception)
        if problem is None or request.path.startswith(errors.API_PREFIX):
            return None
        return errors.show(request, problem)


def _is_signed_in(request: HttpRequest) -> bool:
    user = getattr(request, "user", None)
    return user is not None and user.is_authenticated


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
