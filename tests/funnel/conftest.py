"""The cast of the tests of the funnel, and short ways to bring it on stage."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from leads.models import Lead, Source
from leads.services import events as behaviour
from leads.services import leads as capturing
from leads.services.companies import CompanyInput
from leads.services.events import EventInput
from leads.services.people import PersonInput
from smarketing.users.domain.roles import Role
from smarketing.users.models import User

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
DAY = timedelta(days=1)
_numbers = count(1)


@pytest.fixture
def now() -> datetime:
    """A Monday morning."""
    return NOW


@pytest.fixture
def web(db: None) -> Source:
    return Source.objects.get(code="web")


@pytest.fixture
def rita(db: None) -> User:
    """A sales rep."""
    return User.objects.create(email="rita@example.com", name="Rita Rep", role=Role.REP)


@pytest.fixture
def rob(db: None) -> User:
    """Another sales rep."""
    return User.objects.create(email="rob@example.com", name="Rob Rep", role=Role.REP)


@pytest.fixture
def sam(db: None) -> User:
    """The sales manager."""
    return User.objects.create(email="sam@example.com", name="Sam Sales", role=Role.SALES_MANAGER)


@pytest.fixture
def mara(db: None) -> User:
    """A marketer."""
    return User.objects.create(email="mara@example.com", name="Mara Marketer", role=Role.MARKETER)


@pytest.fixture
def max_(db: None) -> User:
    """The marketing manager."""
    return User.objects.create(email="max@example.com", name="Max Marketing", role=Role.MARKETING_MANAGER)


@pytest.fixture
def olga(db: None) -> User:
    """Somebody who only reads."""
    return User.objects.create(email="olga@example.com", name="Olga Onlooker", role=Role.READ_ONLY)


def capture_lead(
    source: Source,
    *,
    at: datetime = NOW,
    title: str = "Director of Sales",
    company: str = "Initech",
    **more: Any,
) -> Lead:
    """A lead of a new person who fits (band B) and has shown no interest yet."""
    number = next(_numbers)
    person = PersonInput(
        first_name="Ada",
        last_name=f"Lovelace {number}",
        emails=[] if more.pop("no_email", False) else [f"ada{number}@initech.example"],
        title=title,
    )
    return capturing.capture(
        source=source,
        person=person,
        captured_at=at,
        company=CompanyInput(name=company) if company else None,
        actor=None,
        now=max(at, more.pop("now", at)),
        **more,
    ).lead


def asks_for_demo(lead: Lead, *, at: datetime) -> None:
    """The person fills in the demo form: 55 points, band 1 at once."""
    record(lead, "form", "Demo request", at=at)


def record(
    lead: Lead, kind: str, name: str = "", *, at: datetime, url: str = "", now: datetime | None = None
) -> None:
    """One event of the lead's person."""
    row = EventInput(
        source=Source.objects.get(code="web"),
        message_id=f"m{next(_numbers)}",
        kind=kind,
        name=name,
        url=url,
        occurred_at=at,
        person_id=lead.person_id,
    )
    behaviour.record(rows=[row], now=now or at)


@pytest.fixture
def lead(web: Source) -> Lead:
    """A lead of stage "lead"."""
    return capture_lead(web)


@pytest.fixture
def qualify() -> Callable[[Lead], Lead]:
    """Make a lead meet the definition, an hour after its capture."""

    def make(lead: Lead) -> Lead:
        asks_for_demo(lead, at=lead.captured_at + timedelta(hours=1))
        return lead

    return make
