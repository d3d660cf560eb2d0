"""What pages of leads, persons and companies say while somebody is never delivered again."""

from __future__ import annotations

from datetime import datetime

from funnel.models import Tombstone
from funnel.selectors import tombstones
from leads.models import Company, Lead, Person
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User
from smarketing.web.panels import Panel


def of_lead(lead: Lead, *, viewer: User, now: datetime) -> Panel | None:
    """The refusals of the lead's person."""
    return of_person(lead.person, viewer=viewer, now=now)


def of_person(person: Person, *, viewer: User, now: datetime) -> Panel | None:
    """Why nobody delivers the person again, and what would let them in."""
    return _panel(tombstones.of_person(viewer, person, now=now), viewer)


def of_company(company: Company, *, viewer: User, now: datetime) -> Panel | None:
    """Why nobody of the company is delivered again."""
    return _panel(tombstones.of_company(viewer, company, now=now), viewer)


def refuse_person(person: Person, *, viewer: User, now: datetime) -> Panel | None:
    """The button that writes one about the person."""
    return _button(f"?person={person.pk}", viewer)


def refuse_company(company: Company, *, viewer: User, now: datetime) -> Panel | None:
    """The same about everybody of the company."""
    return _button(f"?company={company.pk}", viewer)


def _button(query: str, viewer: User) -> Panel | None:
    if not viewer.may(Capability.EDIT_LEADS):
        return None
    return Panel("funnel/_refuse.html", {"query": query})


def _panel(found: list[Tombstone], viewer: User) -> Panel | None:
    if not found:
        return None
    may_lift = viewer.may(Capability.LIFT_TOMBSTONES)
    return Panel("funnel/_tombstones.html", {"tombstones": found, "may_lift": may_lift})
