"""Signing in, and stopping the clock of requests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from django.test import Client

from smarketing.core import clock
from smarketing.users.models import User

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}
At = Callable[[datetime], None]


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> At:
    """Set the instant that requests read."""

    def set_to(instant: datetime) -> None:
        monkeypatch.setattr(clock, "now", lambda: instant)

    return set_to


@pytest.fixture
def client_of(at: At) -> Callable[[User], Client]:
    """A browser signed in as somebody."""

    def make(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return make
