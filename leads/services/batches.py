"""Capturing many leads at once: one transaction, each row stored or refused by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from django.db import DataError, IntegrityError, transaction

from leads.events import LeadsCaptured, LeadsChanged, TouchpointsRecorded
from leads.models import Campaign, Channel, Company, Person, Source
from leads.services import leads
from leads.services.companies import CompanyInput
from leads.services.leads import Captured
from leads.services.people import PersonInput
from smarketing.core import events
from smarketing.core.errors import DomainError
from smarketing.core.events import Fact
from smarketing.users.models import User


@dataclass(frozen=True, slots=True)
class CaptureInput:
    """What ``leads.capture`` is told of one lead."""

    source: Source | None
    person: PersonInput | Person
    captured_at: datetime
    origin: str = ""
    channel: Channel | None = None
    campaign: Campaign | None = None
    landing_page: str = ""
    description: str = ""
    external_id: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    company: Company | CompanyInput | None = None
    is_contact: bool = True


Outcome = Captured | DomainError | DataError | IntegrityError


@transaction.atomic
def capture_many(*, rows: Sequence[CaptureInput], actor: User | None, now: datetime) -> list[Outcome]:
    """Capture each row, in order; a row that can't be stored leaves nothing and yields its error.

    What follows from all of them (stage, score, delivery) is done once for the whole batch, after the
    last row. Locks persons in the order of the rows: a batch that meets another one in the opposite
    order is ended by the database and can be sent again.
    """
    outcomes: list[Outcome] = []
    with events.held(LeadsCaptured, LeadsChanged, TouchpointsRecorded) as facts:
        for row in rows:
            before = len(facts)
            try:
                with transaction.atomic():
                    given = {f.name: getattr(row, f.name) for f in fields(row)}
                    outcomes.append(leads.capture(**given, actor=actor, now=now))
            except (DomainError, DataError, IntegrityError) as error:
                del facts[before:]
                outcomes.append(error)
    for fact in _together(facts, actor=actor, now=now):
        events.publish(fact)
    return outcomes


def _together(facts: Iterable[Fact], *, actor: User | None, now: datetime) -> list[Fact]:
    """The same as few facts: new leads first, so that they have a stage when they change."""
    new: dict[int, None] = {}
    changed: dict[int, None] = {}
    touches: list[int] = []
    for fact in facts:
        match fact:
            case LeadsCaptured():
                new.update(dict.fromkeys(fact.lead_ids))
            case LeadsChanged():
                changed.update(dict.fromkeys(fact.lead_ids))
            case TouchpointsRecorded():
                touches.extend(fact.touchpoint_ids)
    actor_id = actor.pk if actor else None
    found: list[Fact] = []
    if new:
        found.append(LeadsCaptured(tuple(new), (), (), actor_id, is_import=False, now=now))
    if known := tuple(i for i in changed if i not in new):
        found.append(LeadsChanged(known, actor_id, now))
    if touches:
        found.append(TouchpointsRecorded(tuple(touches), now))
    return found
