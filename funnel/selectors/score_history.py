"""A lead's score over time, from its events and what was known, by the version in force at each instant.

Every moment is what ``past_scores.explain`` says of it. The events are read once, however many moments.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from funnel.domain.interest import Occurrence, contributions
from funnel.domain.replay import FactsUntil
from funnel.models import DefinitionState, DefinitionVersion, LeadScore
from funnel.selectors import definitions, past_facts, signals
from leads.models import Event, Lead

MOMENTS = 60
LONGEST = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Moment:
    """Fit and interest at one instant, and the cell they made."""

    at: datetime
    fit: float
    interest: float
    cell: str


@dataclass(frozen=True, slots=True)
class History:
    """Moments in order of time; ``bands`` are the interest thresholds of the last one's version."""

    moments: list[Moment]
    bands: dict[int, float]
    qualified_at: datetime | None

    @property
    def highest(self) -> float:
        """The most interest of any moment."""
        return max(moment.interest for moment in self.moments)


def of_lead(lead: Lead, *, now: datetime) -> History:
    """Some sixty moments from the capture, at most a year back, until now or the end of the lap."""
    end = lead.closed_at or now
    start = max(lead.captured_at, end - LONGEST)
    versions = _versions()
    known = past_facts.of_leads([lead.pk])[lead.pk]
    counting = Event.objects.counting().filter(person=lead.person_id, occurred_at__lte=end)
    rows = list(counting.order_by("occurred_at", "id").values_list(*signals.COLUMNS))
    by_version: dict[int, list[datetime]] = {}
    for instant in _instants(start, end, [row[4] for row in rows]):
        by_version.setdefault(_number(versions, instant), []).append(instant)
    moments: list[Moment] = []
    for number, instants in by_version.items():
        moments += _moments(versions[number], rows, known, instants)
    bands = definitions.rules_of(versions[_number(versions, end)]).interest_bands
    qualified = LeadScore.objects.filter(lead=lead).values_list("qualified_at", flat=True).first()
    return History(sorted(moments, key=lambda moment: moment.at), dict(bands), qualified)


def _versions() -> list[DefinitionVersion]:
    """Versions that are or were in force, in the order of their beginnings; the first held from ever."""
    ever = DefinitionVersion.objects.filter(state__in=[DefinitionState.IN_FORCE, DefinitionState.RETIRED])
    begun = ever.filter(in_force_from__isnull=False).order_by("in_force_from", "number")
    return [*ever.filter(in_force_from=None).order_by("number"), *begun]


def _number(versions: Sequence[DefinitionVersion], at: datetime) -> int:
    begun = [v.in_force_from for v in versions if v.in_force_from is not None]
    unbegun = len(versions) - len(begun)
    return max(unbegun + bisect_right(begun, at) - 1, 0)


def _instants(start: datetime, end: datetime, events: Sequence[datetime]) -> list[datetime]:
    """Even steps, and the events between while there are few, so that jumps stand where they happened."""
    step = (end - start) / MOMENTS
    even = {start + number * step for number in range(MOMENTS + 1)}
    within = [at for at in events if start <= at <= end]
    return sorted(even | set(within[-MOMENTS:]) | {end})


def _moments(
    version: DefinitionVersion,
    rows: Sequence[signals.Row],
    known: Sequence[FactsUntil],
    instants: Sequence[datetime],
) -> list[Moment]:
    """The moments of one version; its bands are followed from the first event on, as a replay does."""
    rules, decay = definitions.rules_of(version), definitions.decay_of(version)
    slots = signals.slots_of(rules, rows)
    events = [Occurrence(slot, row[4]) for row, found in zip(rows, slots, strict=True) for slot in found]
    parts = contributions(events, rules.caps)
    masses: list[float] = []
    band, following, found = 3, 0, []
    for instant in instants:
        while following < len(parts) and parts[following].at <= instant:
            part = parts[following]
            band = rules.interest_band(_points(decay.exponent(part.at), masses), band)
            masses.append(rules.weights[part.slot] * decay.mass(part.dated_at))
            band = rules.interest_band(_points(decay.exponent(part.at), masses), band)
            following += 1
        points = _points(decay.exponent(instant), masses)
        band = rules.interest_band(points, band)
        facts = next(part.facts for part in known if part.until is None or instant < part.until)
        fit = rules.fit_score(facts)
        found.append(Moment(instant, fit, points, f"{rules.fit_band(fit)}{band}"))
    return found


def _points(exponent: float, masses: Sequence[float]) -> float:
    """What masses that are weighted already give so many half-lives after the landmark."""
    total = math.fsum(masses)
    return math.copysign(math.exp2(math.log2(abs(total)) - exponent), total) if total else 0.0
