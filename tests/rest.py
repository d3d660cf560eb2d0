"""How tests call the API: a client that carries a token of a user."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from rest_framework.test import APIClient

from smarketing.core import clock
from smarketing.users.models import User
from smarketing.users.services import tokens


def client_for(user: User, *scopes: str) -> APIClient:
    """A client with a fresh token of ``user``; both scopes unless some are named."""
    issued = tokens.issue(
        user=user,
        name="test",
        scopes=scopes or ("read", "write"),
        expires_at=None,
        actor=user,
        now=clock.now(),
    )
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {issued.secret}")
    return client


def assert_problem(response: Any, status: int, code: str) -> dict[str, Any]:
    """``response`` is this problem in the form of RFC 9457; returns its body."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert set(body) == {"type", "title", "status", "detail", "instance", "errors"}
    assert (body["type"], body["status"]) == (f"urn:smarketing:problem:{code}", status)
    return body


def pages(client: APIClient, path: str) -> Iterator[list[dict[str, Any]]]:
    """The rows of each page, followed by its links until there is no next one."""
    address: str | None = path
    while address:
        page = client.get(address.removeprefix(settings.SITE_URL)).json()
        yield page["results"]
        address = page["next"]
