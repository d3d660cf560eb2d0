"""The digital footprint of a person: how warm they are, when they were here, what they care about.

Whatever the device: it reads the person's events and visits, of all their browsers. Each part reads at most
a fixed number of rows by the person's index.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.db.models import Count, Min, Sum
from django.db.models.functions import Coalesce

from funnel.domain import temperature as rules
from funnel.domain.interest import Occurrence, day_start
from funnel.domain.temperature import Heat, Temperature
from funnel.models import Interest
from funnel.selectors import definitions, signals
from leads.models import Event, Person, Session

# More would take longer to read than a page may take, and say nothing new about taste.
MOST_EVENTS = 500
TOPICS = 5
_PAGES = ("page", "screen", "form", "track")


@dataclass(frozen=True, slots=True)
class Topic:
    """A page or content: how often it was seen and for how many points it counted."""

    label: str
    url: str
    count: int
    points: float


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a rep reads before calling. ``cools_at`` is when the present band is left by itself."""

    temperature: Temperature
    cools_at: datetime | None
    last_seen_at: datetime | None
    topics: list[Topic]
    visits: int = 0
    first_visit_at: datetime | None = None
    browsers: int = 0
    attention: timedelta = timedelta(0)

    @property
    def is_reheatable(self) -> bool:
        """Cooling or cold, but once interested in something."""
        return self.temperature.heat in (Heat.COOLING, Heat.COLD) and bool(self.topics)


def of_person(person: Person, *, now: datetime) -> Footprint:
    """The footprint at ``now``; a fixed number of queries, whatever the person has done."""
    version = definitions.in_force()
    rules_, decay = definitions.rules_of(version), definitions.decay_of(version)
    held = Interest.objects.filter(person=person).first()
    score = decay.score_of_key(held.key if held else None, now)
    latest = _latest(person)
    return Footprint(
        temperature=_temperature(person, score, latest, now, rules_, decay),
        cools_at=held.cools_at if held else None,
        last_seen_at=latest[0][4] if latest else None,
        topics=topics(rules_, latest, limit=TOPICS),
        **_visits(person),
    )


def topics(definition: Any, rows: list[signals.Row], *, limit: int) -> list[Topic]:
    """The pages, forms and actions among these events that counted most, then those seen most."""
    shown = [row for row in rows if row[1] in _PAGES]
    slots = signals.slots_of(definition, shown)
    seen = [(row[4], _what(row), counted) for row, counted in zip(shown, slots, strict=True)]
    found: Any = rules.points_by(seen, weights=definition.weights, caps=definition.caps)
    ordered = sorted(found.items(), key=lambda item: (-item[1][0], -item[1][1], item[0]))
    return [
        Topic(label=key[0], url=key[1], count=count, points=points)
        for key, (points, count) in ordered[:limit]
    ]


def _temperature(
    person: Person, score: float, latest: list[signals.Row], now: datetime, definition: Any, decay: Any
) -> Temperature:
    since = now - rules.WEEK
    first_day = day_start(since)
    rows = [row for row in latest if row[4] >= first_day]
    slots = signals.slots_of(definition, rows)
    recent = [Occurrence(slot, row[4]) for row, found in zip(rows, slots, strict=True) for slot in found]
    left = rules.recent_score(
        decay, recent, weights=definition.weights, caps=definition.caps, since=since, at=now
    )
    before = rules.score_before(decay, score, left)
    bands = definition.interest_bands
    return rules.of(score, before, hot=bands[1], warm=bands[2])


def _visits(person: Person) -> dict[str, Any]:
    """Of all browsers together, by ``session_timeline``."""
    told = Session.objects.filter(person=person).aggregate(
        visits=Count("pk"),
        first_visit_at=Min("started_at"),
        browsers=Count("visitor", distinct=True),
        seconds=Coalesce(Sum("engagement_seconds"), 0),
    )
    seconds = told.pop("seconds")
    return {**told, "attention": timedelta(seconds=seconds)}


def _latest(person: Person) -> list[signals.Row]:
    """The person's latest events, newest first, by ``event_timeline``."""
    rows = Event.objects.counting().filter(person=person).order_by("-occurred_at", "-id")
    return list(rows.values_list(*signals.COLUMNS)[:MOST_EVENTS])


def _what(row: signals.Row) -> tuple[str, str]:
    """A page by its path, anything else by its name."""
    _person, kind, name, url, _at, _properties = row
    if kind not in ("page", "screen"):
        return name or kind, ""
    try:
        path = urlsplit(url).path.rstrip("/") or "/"
    except ValueError:
        path = ""
    return (name or path or kind, path if url else "")
