"""The one table from errors to HTTP (RFC 9457), shared by the API and the pages.

``of`` turns an exception into a :class:`Problem`; the REST exception handler renders it as
``application/problem+json`` and the page layer as a page, a form error or a toast.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import (
    BadRequest,
    ObjectDoesNotExist,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
)
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404

from smarketing.core.errors import DomainError, FieldError

RETRY_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong, in the terms of RFC 9457. ``retry_after`` is in seconds."""

    status: int
    code: str
    title: str
    detail: str
    errors: tuple[FieldError, ...] = ()
    retry_after: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def type(self) -> str:
        """The stable identifier of the kind of problem; docs/api lists them."""
        return f"urn:smarketing:problem:{self.code}"

    def body(self, *, instance: str) -> dict[str, Any]:
        """The members of the JSON object; ``instance`` names the request (its path or id)."""
        return {
            "type": self.type,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
            "errors": [
                {"pointer": pointer(e.field), "code": e.code, "detail": e.detail} for e in self.errors
            ],
        }


def pointer(path: str) -> str:
    """The JSON pointer (RFC 6901) of a dotted path: ``fit.0.points`` is ``/fit/0/points``."""
    if not path:
        return ""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path.split("."))


def of(error: BaseException) -> Problem | None:
    """The problem that ``error`` is shown as, or ``None`` when it is a fault of ours (500)."""
    if isinstance(error, DomainError):
        retry = getattr(error, "retry_after", None)
        if retry is None and error.status in (429, 503):
            retry = RETRY_SECONDS
        return Problem(error.status, error.instance_code, error.title, error.detail, error.errors, retry)
    if isinstance(error, Http404 | ObjectDoesNotExist):
        return Problem(404, "not_found", "Not found", "There is no such object, or you may not see it.")
    if isinstance(error, PermissionDenied):
        return Problem(403, "denied", "Your role does not allow this", str(error) or "Ask an admin.")
    if isinstance(error, RequestDataTooBig):
        return Problem(413, "too_large", "The request is too large", "Send less at a time.")
    if isinstance(error, TooManyFieldsSent | SuspiciousOperation | BadRequest):
        return Problem(400, "bad_request", "The request can't be read", "Check it and send it again.")
    if isinstance(error, DataError):
        # A value that passed the checks of the form and still does not fit its column.
        return Problem(422, "invalid", "Some of the input can't be used", "A value is out of range.")
    if isinstance(error, IntegrityError):
        # Somebody made the same thing at the same moment; the constraint kept the promise.
        return Problem(
            409, "conflict", "Not possible in the present state", "It exists already or is in use."
        )
    if isinstance(error, OperationalError | InterfaceError):
        return Problem(
            503,
            "unavailable",
            "Temporarily unavailable",
            "The database can't be reached or is too busy. Nothing was changed; try again.",
            retry_after=RETRY_SECONDS,
        )
    return None
