"""Optimistic locking over HTTP: ``ETag`` out, ``If-Match`` in (RFC 9110)."""

from __future__ import annotations

from typing import ClassVar

from rest_framework.request import Request

from smarketing.core.errors import DomainError, Stale


class MustMatch(DomainError):
    """An edit has to say which version it read."""

    status: ClassVar[int] = 428
    code: ClassVar[str] = "precondition_required"
    title: ClassVar[str] = "If-Match is needed"


def etag(version: int | str | None) -> str | None:
    """The entity tag of a version."""
    return None if version is None else f'"{version}"'


def check_match(request: Request, version: int | str | None, *, required: bool) -> None:
    """Compare ``If-Match`` with the object's version; the caller holds the row's lock.

    Raises :class:`MustMatch` (428) when it is required and absent, :class:`Stale` (412) when the
    object has moved on. Objects without a version are not compared.
    """
    current = etag(version)
    if current is None:
        return
    sent = request.headers.get("If-Match")
    if sent is None:
        if required:
            raise MustMatch("Send the ETag that you read as If-Match.")
        return
    tags = [tag.strip() for tag in sent.split(",")]
    if "*" not in tags and current not in tags:
        raise Stale(f"It is now version {version}. Read it again and repeat your change.")
