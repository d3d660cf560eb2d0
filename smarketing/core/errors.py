"""Errors of the domain, mapped to HTTP once (``smarketing.web.problems``).

A service raises a subclass that stands beside the function which raises it. Each carries a stable
``code``, a sentence for the person and, for input, one entry per field with the way to mend it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field.

    ``field`` is a dotted path as the client sent it ("fit.0.points"); ``detail`` says what is wrong
    and how to mend it, in one sentence.
    """

    field: str
    code: str
    detail: str


class DomainError(Exception):
    """A refusal that changed nothing. ``status`` is the HTTP status it is shown with."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "refused"
    title: ClassVar[str] = "This can't be done"

    def __init__(self, detail: str, *, errors: Sequence[FieldError] = (), code: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)
        self.instance_code = code or self.code


class Invalid(DomainError):
    """The input is not usable; ``errors`` names the fields."""

    status = 422
    code = "invalid"
    title = "Some of the input can't be used"


class Denied(DomainError):
    """The actor's role does not allow this."""

    status = 403
    code = "denied"
    title = "Your role does not allow this"


class Missing(DomainError):
    """There is no such object, or it is outside what the actor may see."""

    status = 404
    code = "not_found"
    title = "Not found"


class Conflict(DomainError):
    """The object is not in a state in which this can be done."""

    status = 409
    code = "conflict"
    title = "Not possible in the present state"


class Stale(DomainError):
    """Somebody else changed the object first."""

    status = 412
    code = "stale"
    title = "Somebody else changed this first"


class Busy(DomainError):
    """Too many requests; try again later."""

    status = 429
    code = "too_many_requests"
    title = "Too many requests"


class Unavailable(DomainError):
    """A part the request needs is out of reach; nothing was changed."""

    status = 503
    code = "unavailable"
    title = "Temporarily unavailable"
