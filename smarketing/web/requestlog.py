"""One line in the log and one count in the metrics for every request."""

from __future__ import annotations

import re
import time
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse
from django_structlog.middlewares import RequestMiddleware

from smarketing.core import logs
from smarketing.web import metrics

_REQUEST_ID = re.compile(r"^[A-Za-z0-9._\-]{8,64}$")


class RequestLog(RequestMiddleware):
    """Binds the request's id (a proxy's, if it is well formed) and tells it to the client.

    The route is logged, not the path and its query: those carry reset keys and search words.
    """

    def prepare(self, request: HttpRequest) -> None:
        """Start the clock and bind what every line of this request carries."""
        sent = request.META.get("HTTP_X_REQUEST_ID", "")
        if not _REQUEST_ID.match(sent):
            request.META.pop("HTTP_X_REQUEST_ID", None)
        request.started = time.perf_counter()  # type: ignore[attr-defined]
        super().prepare(request)
        bound = structlog.contextvars.get_contextvars()
        request.request_id = bound.get("request_id", "")  # type: ignore[attr-defined]
        structlog.contextvars.bind_contextvars(
            network=logs.cut_address(str(request.META.get("REMOTE_ADDR", "")))
        )

    def handle_response(self, request: HttpRequest, response: HttpResponse) -> None:
        """Log, count, and tell the id."""
        taken = time.perf_counter() - getattr(request, "started", time.perf_counter())
        structlog.contextvars.bind_contextvars(milliseconds=round(taken * 1000, 1))
        super().handle_response(request, response)
        response["X-Request-ID"] = getattr(request, "request_id", "")
        view = _view(request)
        method = request.method if request.method in _METHODS else "other"
        metrics.requests.labels(view, method, str(response.status_code)).inc()
        metrics.seconds.labels(view).observe(taken)

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        """Method and route."""
        match = getattr(request, "resolver_match", None)
        route = f"/{match.route}" if match is not None else "(no route)"
        return f"{request.method} {route}"


_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


def _view(request: HttpRequest) -> str:
    match: Any = getattr(request, "resolver_match", None)
    return str(match.view_name or match.route) if match is not None else "none"
