"""A real receiver of webhooks, and an admin to configure it."""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from smarketing.users.domain.roles import Role
from smarketing.users.models import User

NOW = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)


@dataclass
class Hook:
    """What the receiver got, and what it answers next (the last answer stays)."""

    url: str = ""
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=lambda: [(204, {})])
    hold: threading.Event | None = None


@pytest.fixture
def make_hook(settings: Any) -> Iterator[Callable[[], Hook]]:
    settings.OUTBOUND_NETWORKS = ["127.0.0.0/8"]
    servers: list[http.server.ThreadingHTTPServer] = []

    def make() -> Hook:
        hook = Hook()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.requests.append(({k.lower(): v for k, v in self.headers.items()}, body))
                if hook.hold is not None:
                    hook.hold.wait(10)
                status, headers = hook.answers.pop(0) if len(hook.answers) > 1 else hook.answers[0]
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                return

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        hook.url = f"http://127.0.0.1:{server.server_port}/hook"
        return hook

    yield make
    for server in servers:
        server.shutdown()


@pytest.fixture
def hook(make_hook: Callable[[], Hook]) -> Hook:
    return make_hook()


@pytest.fixture
def admin(db: None) -> User:
    return User.objects.create(name="Ada Admin", email="ada@example.com", role=Role.ADMIN)


@pytest.fixture
def rep(db: None) -> User:
    return User.objects.create(name="Rita Rep", email="rita@example.com", role=Role.REP)


class Sink:
    """A real SMTP server: what it got, and what it answers next (the last answer stays)."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []
        self.answers = ["250 OK"]

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append(envelope.content)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def sink(settings: Any) -> Iterator[Sink]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    sink = Sink()
    controller = Controller(sink, hostname="127.0.0.1", port=port)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    yield sink
    controller.stop()
