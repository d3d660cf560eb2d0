"""A fixed cast: one rep, one marketer, two managers, an agreement of four open hours, a lead."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from funnel.models import Handoff
from funnel.services import handoffs
from leads.models import Lead, Source
from leads.services import activities
from leads.services import leads as capturing
from leads.services.companies import CompanyInput
from leads.services.people import PersonInput
from sla.domain.calendars import WeeklyCalendar
from sla.models import (
    Agreement,
    AgreementState,
    AgreementVersion,
    Calendar,
    CalendarVersion,
    Clause,
    Clock,
)
from smarketing.users.domain.roles import Role
from smarketing.users.models import User

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
# Monday to Friday 10:00-18:00 UTC; the week of the golden vectors.
MONDAY = datetime(2026, 1, 12, 10, 0, tzinfo=UTC)
FRIDAY = datetime(2026, 1, 9, 17, 0, tzinfo=UTC)
SATURDAY = datetime(2026, 1, 10, 15, 0, tzinfo=UTC)

_numbers = itertools.count(1)


def make_user(role: str, name: str) -> User:
    return User.objects.create(
        name=name, email=f"{name.split()[0].lower()}{next(_numbers)}@example.com", role=role
    )


@pytest.fixture
def rep(db: None) -> User:
    return make_user(Role.REP, "Rita Rep")


@pytest.fixture
def other_rep(db: None) -> User:
    return make_user(Role.REP, "Otto Other")


@pytest.fixture
def marketer(db: None) -> User:
    return make_user(Role.MARKETER, "Mona Marketer")


@pytest.fixture
def sales_manager(db: None) -> User:
    return make_user(Role.SALES_MANAGER, "Sam Seller")


@pytest.fixture
def marketing_manager(db: None) -> User:
    return make_user(Role.MARKETING_MANAGER, "Mia Market")


def agree(target: timedelta = 4 * HOUR, calendar: WeeklyCalendar | None = None) -> Clause:
    """Put another version of the agreement in force, with one clause on first response."""
    number = next(_numbers)
    made = Calendar.objects.create(name=f"calendar {number}")
    CalendarVersion.objects.create(
        calendar=made,
        number=1,
        body=(calendar or WeeklyCalendar.office("UTC")).to_json(),
        created_at=MONDAY,
    )
    agreement = Agreement.objects.get()
    AgreementVersion.objects.filter(state=AgreementState.IN_FORCE).update(state=AgreementState.RETIRED)
    last = agreement.versions.order_by("-number").first()
    version = AgreementVersion.objects.create(
        agreement=agreement, number=last.number + 1, state=AgreementState.IN_FORCE
    )
    return Clause.objects.create(
        version=version,
        position=1,
        side="sales",
        metric="first_response",
        comparator="<=",
        target=target / MINUTE,
        calendar=made,
    )


@pytest.fixture
def clause(db: None) -> Clause:
    return agree()


def make_lead(name: str = "Lena Lead", at: datetime = FRIDAY - 48 * HOUR) -> Lead:
    """A lead captured at an instant."""
    first, _, last = name.partition(" ")
    person = PersonInput(
        first_name=first,
        last_name=last,
        emails=[f"lead{next(_numbers)}@initech.example"],
        phones=["+4930123456"],
        title="Director of Sales",
    )
    source = Source.objects.get(code="web")
    return capturing.capture(
        source=source,
        person=person,
        captured_at=at,
        company=CompanyInput(name="Initech"),
        actor=None,
        now=at,
    ).lead


def deliver(owner: User, at: datetime, *, lead: Lead | None = None) -> Handoff:
    """A lead delivered to ``owner`` at an instant."""
    lead = lead or make_lead(at=at - HOUR)
    giver = User.objects.get_queryset().filter(role=Role.MARKETING_MANAGER).first()
    return handoffs.deliver(
        lead=lead,
        actor=giver or make_user(Role.MARKETING_MANAGER, "Mia Market"),
        owner=owner,
        now=at,
        override_reason="asked for by name",
    )


def attempt(
    handoff: Handoff,
    actor: User | None,
    at: datetime,
    *,
    now: datetime | None = None,
    kind: str = "call",
    direction: str = "outbound",
    is_automated: bool = False,
) -> None:
    """A logged call (or mail)."""
    activities.log(
        person=handoff.lead.person,
        lead=handoff.lead,
        kind=kind,
        direction=direction,
        occurred_at=at,
        actor=actor,
        is_automated=is_automated,
        now=now or at,
    )


@pytest.fixture
def clock_of(clause: Clause, rep: User) -> Callable[[datetime], Clock]:
    """Deliver a lead at an instant and return the clock that runs for it."""

    def make(at: datetime = MONDAY) -> Clock:
        return Clock.objects.get(handoff=deliver(rep, at))

    return make
