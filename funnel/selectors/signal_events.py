"""The events behind one signal's share of a person's interest, and what each gives now."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from funnel.domain.interest import Occurrence, contributions
from funnel.models import LeadScore
from funnel.selectors import definitions, signals
from leads.models import Event, Lead

READ = 2000
SHOWN = 20


@dataclass(frozen=True, slots=True)
class SignalEvent:
    """One event. ``points`` is what it gives now; ``None``: beyond the daily limit, it gives nothing."""

    name: str
    url: str
    at: datetime
    points: float | None


@dataclass(frozen=True, slots=True)
class SignalEvents:
    """The newest events of a signal, and how many more there are with what they give together."""

    shown: list[SignalEvent]
    rest: int
    rest_points: float


def of_signal(*, lead: Lead, key: str, at: datetime) -> SignalEvents:
    """What the signal ``key`` of the version that scored ``lead`` rests on at ``at``."""
    version = LeadScore.objects.select_related("definition").get(lead=lead).definition
    rules, decay = definitions.rules_of(version), definitions.decay_of(version)
    slot = next((n for n, signal in enumerate(rules.signals) if signal.key == key), None)
    if slot is None:
        return SignalEvents([], 0, 0.0)
    rows = (
        Event.objects.counting()
        .filter(person=lead.person_id, occurred_at__lte=at)
        .order_by("-occurred_at", "-pk")
    )
    matching = [row for row in rows.values_list(*signals.COLUMNS)[:READ] if slot in signals.slots(rules, row)]
    counted: dict[datetime, list[datetime]] = {}
    occurrences = [Occurrence(0, row[4]) for row in matching]
    for part in contributions(occurrences, [rules.signals[slot].daily_cap]):
        counted.setdefault(part.at, []).append(part.dated_at)
    weight = rules.signals[slot].points
    found = []
    for _person, kind, name, url, occurred_at, _properties in matching:
        dates = counted.get(occurred_at)
        points = weight * math.exp2(-((at - dates.pop()) / decay.half_life)) if dates else None
        found.append(SignalEvent(name or kind.replace("_", " "), url, occurred_at, points))
    rest = found[SHOWN:]
    return SignalEvents(found[:SHOWN], len(rest), math.fsum(e.points or 0.0 for e in rest))
