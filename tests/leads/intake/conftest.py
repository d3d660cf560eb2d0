"""A website and a program that send, and a sender of requests."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import Any, Protocol

import pytest
from django.http import HttpResponse
from django.test import Client

from leads.models import EventInbox, KeyKind, Source, SourceKind, WriteKey
from leads.services import sources, write_keys

HOUR = "2026-11-27T10:00:00Z"


class Send(Protocol):
    """Posts a payload with the browser key, or as told."""

    def __call__(self, path: str, payload: Any, **how: Any) -> HttpResponse: ...


@pytest.fixture
def site(db: None, now: datetime) -> Source:
    """A website."""
    return sources.ensure(code="site", name="Our site", kind=SourceKind.WEB, now=now)


@pytest.fixture
def browser_key(site: Source, now: datetime) -> WriteKey:
    return issued(site, KeyKind.BROWSER, now)[0]


@pytest.fixture
def server_key(site: Source, now: datetime) -> str:
    """The text of a server key of the same source."""
    return issued(site, KeyKind.SERVER, now)[1]


def issued(source: Source, kind: str, now: datetime, **settings: Any) -> tuple[WriteKey, str]:
    made = write_keys.issue(source=source, name="Key", kind=kind, actor=None, now=now, **settings)
    return made.key, made.text


def basic(key: str) -> str:
    return "Basic " + base64.b64encode(f"{key}:".encode()).decode()


@pytest.fixture
def send(client: Client, browser_key: WriteKey) -> Send:
    def post(path: str, payload: Any, **how: Any) -> HttpResponse:
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        headers = {"Authorization": basic(how.pop("key", browser_key.public_key)), **how.pop("headers", {})}
        headers = {name: value for name, value in headers.items() if value is not None}
        return client.post(  # type: ignore[return-value]
            path, body, content_type=how.pop("content_type", "application/json"), headers=headers, **how
        )

    return post


def track(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A call that is fine."""
    whole = {"type": "track", "event": "Signed Up", "messageId": f"m-{number}", "anonymousId": "a-1"}
    return {key: value for key, value in (whole | changes).items() if value is not ...}


def waiting() -> list[str]:
    """The message ids in the inbox."""
    return sorted(EventInbox.objects.values_list("body__message_id", flat=True))
