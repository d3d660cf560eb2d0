"""How many open leads each rule of a draft touches, counted over a sample whose size is told.

Up to :data:`MOST` open leads are looked at one and all; of more, leads at evenly spaced keys. Facts come in
one statement, behaviour in one more that reads at most :data:`MOST_EVENTS` events of the last :data:`DAYS`
days, so the cost has a bound however many leads there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max, Min

from funnel.domain import fit
from funnel.domain.definitions import Definition
from funnel.selectors import facts, signals
from leads.models import Event, Lead
from smarketing.core.keysets import among

MOST = 1000
MOST_EVENTS = 20_000
DAYS = 90
_KEYS_PER_LEAD = 6


@dataclass(frozen=True, slots=True)
class Reach:
    """Leads touched by each rule, in the order of the document, among ``looked_at`` of the open leads.

    ``is_sample`` is False when these were all. Signals are counted over the first ``behaving`` of them:
    those whose events of the last :data:`DAYS` days could be read.
    """

    looked_at: int
    is_sample: bool
    behaving: int
    fit: list[int]
    signals: list[int]
    exclusions: list[int]
    minimum_information: list[int]
    personas: list[int]
    ideal: int
    bands: dict[str, int]


def of(rules: Definition, *, now: datetime) -> Reach:
    """What the rules touch among the open leads at ``now``. ``minimum_information`` counts who lacks it."""
    sample, is_sample = _sample()
    known = facts.of_leads([lead for lead, _person in sample])
    rows = [known[lead] for lead, _person in sample if lead in known]
    behaving, signal_counts = _behaviour(rules, [person for _lead, person in sample], now=now)
    bands = [rules.fit_band(rules.fit_score(row)) for row in rows]
    return Reach(
        looked_at=len(rows),
        is_sample=is_sample,
        behaving=behaving,
        fit=[sum(bool(fit.holds(c.condition, row)) for row in rows) for c in rules.criteria],
        signals=signal_counts,
        exclusions=[sum(bool(fit.holds(e.condition, row)) for row in rows) for e in rules.exclusions],
        minimum_information=[
            sum(all(fit.look_up(row, path) is None for path in paths) for row in rows)
            for paths in rules.minimum_information
        ],
        personas=[sum(persona.fits(row) for row in rows) for persona in rules.personas],
        ideal=sum(bool(rules.is_ideal(row)) for row in rows),
        bands={band: bands.count(band) for band in ("A", "B", "C")},
    )


def _sample() -> tuple[list[tuple[int, int]], bool]:
    """Keys of open leads with their persons, and whether there are more of them."""
    leads = Lead.objects.open().order_by("pk")
    first = list(leads.values_list("pk", "person_id")[: MOST + 1])
    if len(first) <= MOST:
        return first, False
    ends = Lead.objects.aggregate(low=Min("pk"), high=Max("pk"))
    width = ends["high"] - ends["low"]
    keys = {ends["low"] + width * i // (MOST * _KEYS_PER_LEAD) for i in range(MOST * _KEYS_PER_LEAD)}
    spread = list(leads.filter(pk__in=among(keys)).values_list("pk", "person_id"))
    # Where most keys are gone or closed, the first open ones are still better than a handful.
    if len(spread) < MOST // 2:
        return first[:MOST], True
    step = max(1, len(spread) // MOST)
    return spread[::step][:MOST], True


def _behaviour(rules: Definition, people: Sequence[int], *, now: datetime) -> tuple[int, list[int]]:
    """Of how many persons all recent events were read, and how many of those each signal counts for."""
    recent = Event.objects.counting().filter(
        person_id__in=among(people), occurred_at__gte=now - timedelta(days=DAYS), occurred_at__lte=now
    )
    rows = list(recent.order_by("person_id").values_list(*signals.COLUMNS)[: MOST_EVENTS + 1])
    ordered = sorted(set(people))
    if len(rows) > MOST_EVENTS:
        last = rows[-1][0]  # whose events were cut off
        ordered = [person for person in ordered if person < last]
        rows = [row for row in rows if row[0] < last]
    found: list[set[int]] = [set() for _signal in rules.signals]
    for row, slots in zip(rows, signals.slots_of(rules, rows), strict=True):
        for slot in slots:
            found[slot].add(row[0])
    return len(ordered), [len(persons) for persons in found]
