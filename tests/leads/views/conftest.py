"""The cast of the page tests of leads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from django.test import Client

from leads.models import Lead, Source
from leads.services import leads
from leads.services.companies import CompanyInput
from leads.services.people import PersonInput
from smarketing.users.models import User

SignedIn = Callable[[User], Client]


@pytest.fixture
def signed_in() -> SignedIn:
    """``signed_in(user)``: a client with the user's session; htmx headers are given per request."""

    def make(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return make


@pytest.fixture
def ada(web: Source, now: datetime) -> Lead:
    """The open lead of Ada Lovelace of Analytical Engines."""
    return leads.capture(
        source=web,
        person=PersonInput(
            first_name="Ada", last_name="Lovelace", emails=["ada@example.com"], phones=["+44 20 7946 0958"]
        ),
        company=CompanyInput("Analytical Engines", domain="engines.example.com"),
        origin="webinar",
        captured_at=now,
        actor=None,
        now=now,
    ).lead
