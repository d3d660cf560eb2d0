"""Every error of the API as ``application/problem+json`` (RFC 9457)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import structlog
from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response

from smarketing.core.errors import FieldError
from smarketing.web import problems
from smarketing.web.problems import Problem

CONTENT_TYPE = "application/problem+json"
log = structlog.get_logger(__name__)


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """Django REST framework's exception handler; see ``REST_FRAMEWORK`` in the settings."""
    request, view = context.get("request"), context.get("view")
    problem = _of_framework(error) or problems.of(error)
    if problem is None:
        if settings.DEBUG_PROPAGATE_EXCEPTIONS:
            return None
        log.exception("api_error", view=type(view).__name__)
        problem = Problem(500, "internal", "Something broke on our side", "It was logged. Try again later.")
    headers = dict(problem.headers)
    if problem.retry_after is not None:
        headers["Retry-After"] = str(problem.retry_after)
    if problem.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="smarketing"'
    body = problem.body(instance=request.path if request is not None else "")
    return Response(body, status=problem.status, headers=headers, content_type=CONTENT_TYPE)


def _of_framework(error: Exception) -> Problem | None:
    if isinstance(error, exceptions.ValidationError):
        return Problem(
            422,
            "invalid",
            "Some of the input can't be used",
            "Mend the fields named in “errors” and send it again.",
            tuple(field_errors(error.detail)),
        )
    if not isinstance(error, exceptions.APIException):
        return None
    if isinstance(error, exceptions.MethodNotAllowed):
        return Problem(405, "method_not_allowed", "Method not allowed", str(error.detail))
    if isinstance(error, exceptions.Throttled):
        return Problem(
            429,
            "too_many_requests",
            "Too many requests",
            str(error.detail),
            (),
            int(getattr(error, "wait", None) or 1),
        )
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        return Problem(401, "not_authenticated", "Sign-in needed", str(error.detail))
    if isinstance(error, exceptions.UnsupportedMediaType):
        return Problem(415, "unsupported_media_type", "Unsupported media type", _("Send application/json."))
    codes = error.get_codes()
    code = codes if isinstance(codes, str) else "refused"
    return Problem(error.status_code, code, str(error.default_detail), str(error.detail))


def field_errors(detail: Any, path: str = "") -> Iterator[FieldError]:
    """The errors of a serializer, flattened to dotted paths."""
    if isinstance(detail, dict):
        for key, value in detail.items():
            step = "" if key == "non_field_errors" else str(key)
            yield from field_errors(value, ".".join(p for p in (path, step) if p))
    elif isinstance(detail, list | tuple):
        for number, value in enumerate(detail):
            nested = isinstance(value, dict | list)
            yield from field_errors(value, f"{path}.{number}".lstrip(".") if nested else path)
    elif detail:
        yield FieldError(path, getattr(detail, "code", "invalid"), str(detail))
