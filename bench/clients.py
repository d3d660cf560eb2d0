"""What scenarios call the product and PostgreSQL with: HTTP over kept connections, and threads."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import psycopg2
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore

from bench import harness
from smarketing.core import clock
from smarketing.users.models import User
from smarketing.users.services import tokens


def bearer(user: User) -> dict[str, str]:
    """The headers of a program that acts as ``user``."""
    issued = tokens.issue(
        user=user, name="bench", scopes=("read", "write"), expires_at=None, actor=None, now=clock.now()
    )
    return {"Authorization": f"Bearer {issued.secret}"}


def signed_in(user: User) -> dict[str, str]:
    """The headers of a browser in which ``user`` has signed in."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return {"Cookie": f"{settings.SESSION_COOKIE_NAME}={session.session_key}"}


@dataclass(slots=True)
class Http:
    """One kept connection."""

    address: str
    headers: Mapping[str, str]
    link: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        split = urlsplit(self.address)
        self.link = http.client.HTTPConnection(split.hostname or "", split.port, timeout=60)

    def get(self, path: str) -> bytes:
        """The body of a page. Raises where it does not answer 200."""
        try:
            self.link.request("GET", path, headers=dict(self.headers))
            answer = self.link.getresponse()
        except http.client.RemoteDisconnected:  # the server ends connections that were idle for long
            self.link.close()
            self.link.request("GET", path, headers=dict(self.headers))
            answer = self.link.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {answer.getheader('Location')} {body[:500]!r}")
        return body

    def post(self, path: str, content: Any) -> Any:
        """The answer to a JSON body. Raises where it does not answer 2xx."""
        headers = {**self.headers, "Content-Type": "application/json"}
        self.link.request("POST", path, json.dumps(content), headers)
        answer = self.link.getresponse()
        body = answer.read()
        if answer.status // 100 != 2:
            raise RuntimeError(f"{path}: {answer.status} {body[:500]!r}")
        return json.loads(body)


def in_threads(count: int, threads: int, work: Callable[[int, range], None]) -> int:
    """Split ``count`` units over threads; ``work(thread, numbers)``. Returns ``count``."""
    with ThreadPoolExecutor(threads) as pool:
        parts = [pool.submit(work, t, range(t, count, threads)) for t in range(threads)]
        for part in parts:
            part.result()
    return count


def linked(database: str) -> Any:
    """A connection of psycopg2 in which each statement is a transaction of its own."""
    link = psycopg2.connect(harness.dsn(database))
    link.autocommit = True
    return link
