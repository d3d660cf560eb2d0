"""The cast of the page tests of the funnel."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.test import Client

from smarketing.core import clock
from smarketing.users.models import User
from tests.funnel.conftest import NOW

SignedIn = Callable[[User], Client]
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
def signed_in() -> SignedIn:
    """``signed_in(user)``: a client with the user's session; htmx headers are given per request."""

    def make(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return make


At = Callable[[datetime], None]


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> At:
    """Set the instant that requests read."""

    def set_to(instant: datetime) -> None:
        monkeypatch.setattr(clock, "now", lambda: instant)

    return set_to


@pytest.fixture(autouse=True)
def half_past_ten(at: At) -> None:
    """Requests come on the Monday of the cast, at half past ten."""
    at(NOW + timedelta(minutes=30))
