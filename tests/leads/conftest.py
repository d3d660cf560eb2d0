"""The cast of the tests of leads."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from leads.models import Channel, Source
from smarketing.users.domain.roles import Role
from smarketing.users.models import User

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    """A Monday morning."""
    return NOW


@pytest.fixture
def web(db: None) -> Source:
    return Source.objects.get(code="web")


@pytest.fixture
def direct(db: None) -> Channel:
    return Channel.objects.get(code="direct")


@pytest.fixture
def rita(db: None) -> User:
    """A sales rep."""
    return User.objects.create(email="rita@example.com", name="Rita Rep", role=Role.REP)


@pytest.fixture
def mara(db: None) -> User:
    """A marketer."""
    return User.objects.create(email="mara@example.com", name="Mara Marketer", role=Role.MARKETER)


@pytest.fixture
def olga(db: None) -> User:
    """Somebody who only reads."""
    return User.objects.create(email="olga@example.com", name="Olga Onlooker", role=Role.READ_ONLY)


@pytest.fixture
def adam(db: None) -> User:
    """An admin."""
    return User.objects.create(email="adam@example.com", name="Adam Admin", role=Role.ADMIN)
