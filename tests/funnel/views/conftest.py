"""The cast of the page tests of the funnel."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client

from funnel.models import Handoff, HandoffState, Opportunity
from funnel.services import opportunities
from leads.models import Source
from smarketing.core import clock
from smarketing.users.models import User
from tests.funnel.conftest import NOW, asks_for_demo, capture_lead

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


@pytest.fixture
def delivered(web: Source, rita: User) -> Handoff:
    """A lead that asked for a demo at ten and was delivered to Rita at once."""
    lead = capture_lead(web, at=NOW - timedelta(days=1))
    asks_for_demo(lead, at=NOW)
    return Handoff.objects.get(lead=lead, state=HandoffState.DELIVERED)


@pytest.fixture
def deal(web: Source, rita: User) -> Opportunity:
    """An open deal of Rita's over 12,000 EUR, one day old."""
    lead = capture_lead(web, at=NOW - timedelta(days=2))
    return opportunities.open(
        lead=lead,
        name="Initech rollout",
        amount=Decimal(12000),
        currency="EUR",
        owner=rita,
        opened_at=NOW - timedelta(days=1),
        actor=rita,
        now=NOW - timedelta(days=1),
    )
