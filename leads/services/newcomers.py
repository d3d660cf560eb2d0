"""Strangers whom tracking has just identified become leads, where their source says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from leads.models import Lead, Person, Source, Touchpoint, TouchpointKind
from leads.services import batches
from leads.services.batches import CaptureInput
from leads.services.leads import Captured
from smarketing.core.keysets import among


@dataclass(frozen=True, slots=True)
class Identified:
    """A person named by their e-mail address: by which source, and when."""

    person_id: int
    source_id: int
    at: datetime


@transaction.atomic
def welcome(*, identified: Iterable[Identified], now: datetime) -> int:
    """Open the first lap of each person who never had one; return how many.

    The lap tells how they came: the last visit before they named themselves, else the first after. Their
    visits are its touchpoints, so no contact of its own is recorded. A person with a lap, open or ended,
    is left to the rules of re-entry.
    """
    first = _first(identified)
    if not first:
        return 0
    known = set(Lead.objects.filter(person__in=among(first)).values_list("person_id", flat=True))
    sources = Source.objects.in_bulk({seen.source_id for seen in first.values()})
    strangers = {
        pk: seen for pk, seen in first.items() if pk not in known and sources[seen.source_id].opens_laps
    }
    if not strangers:
        return 0
    people = Person.objects.in_bulk(sorted(strangers))
    visits = _visits(strangers)
    rows = []
    for pk in sorted(people):
        visit = visits.get(pk)
        rows.append(
            CaptureInput(
                source=sources[strangers[pk].source_id],
                person=people[pk],
                captured_at=strangers[pk].at,
                channel=visit.channel if visit else None,
                campaign=visit.campaign if visit else None,
                landing_page=visit.url if visit else "",
                is_contact=False,
            )
        )
    outcomes = batches.capture_many(rows=rows, actor=None, now=now)
    return sum(isinstance(outcome, Captured) for outcome in outcomes)


def _first(identified: Iterable[Identified]) -> dict[int, Identified]:
    found: dict[int, Identified] = {}
    for seen in identified:
        known = found.get(seen.person_id)
        if known is None or seen.at < known.at:
            found[seen.person_id] = seen
    return found


def _visits(strangers: Mapping[int, Identified]) -> dict[int, Touchpoint]:
    """By which visit each of them came."""
    found: dict[int, Touchpoint] = {}
    touches = Touchpoint.objects.filter(person__in=among(strangers), kind=TouchpointKind.VISIT)
    for touch in touches.select_related("channel", "campaign").order_by("person_id", "occurred_at", "pk"):
        if touch.person_id not in found or touch.occurred_at <= strangers[touch.person_id].at:
            found[touch.person_id] = touch
    return found
