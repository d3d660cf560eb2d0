"""Writes of the decayed masses: one row per person, one slot per signal (architecture 2.2)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime

from django.db import connection

from funnel.domain.definitions import Definition
from funnel.domain.interest import Decay, counted_more, day_start
from funnel.models import DefinitionVersion, Interest
from funnel.selectors import signals
from leads.models import Lead

_MAKE = """
INSERT INTO funnel_interest (person_id, definition_id, masses, key, cools_at)
SELECT p, %(definition)s, array_fill(0::float8, ARRAY[%(slots)s]), NULL, NULL
  FROM unnest(%(people)s::bigint[]) AS p ORDER BY p
ON CONFLICT (person_id) DO NOTHING
"""
_COUNT_DAYS = """
INSERT INTO funnel_signalday AS d (person_id, definition_id, slot, day, count)
SELECT person, %(definition)s, slot, day, n
  FROM unnest(%(people)s::bigint[], %(slots)s::int[], %(days)s::date[], %(counts)s::int[])
    AS i(person, slot, day, n)
 ORDER BY person, slot, day
ON CONFLICT (person_id, definition_id, slot, day) DO UPDATE SET count = d.count + excluded.count
RETURNING person_id, slot, day, count
"""
_WRITE = """
UPDATE funnel_interest i SET masses = n.masses::float8[], key = n.key
  FROM unnest(%(people)s::bigint[], %(masses)s::text[], %(keys)s::float8[]) AS n(person, masses, key)
 WHERE i.person_id = n.person
"""


def add(
    version: DefinitionVersion, rules: Definition, decay: Decay, rows: Iterable[signals.Row]
) -> dict[int, int]:
    """Add events to the masses of their persons; return how many signals counted per person."""
    free: dict[tuple[int, int], float] = defaultdict(float)
    capped: Counter[tuple[int, int, date]] = Counter()
    touched: Counter[int] = Counter()
    for row in rows:
        person, at = row[0], row[4]
        for slot in signals.slots(rules, row):
            touched[person] += 1
            if rules.signals[slot].daily_cap is None:
                free[person, slot] += decay.mass(at)
            else:
                capped[person, slot, day_start(at).date()] += 1
    if not touched:
        return {}
    held = lock_people(version, rules, touched)
    for (person, slot, day), count in _counted(version, rules, capped).items():
        instant = datetime.combine(day, datetime.min.time(), tzinfo=decay.landmark.tzinfo)
        free[person, slot] += decay.mass(instant, count)
    for (person, slot), mass in free.items():
        held[person][slot] += mass
    write(rules, decay, held)
    return dict(touched)


def lock_people(
    version: DefinitionVersion, rules: Definition, people: Collection[int]
) -> dict[int, list[float]]:
    """Make and lock the interest of these persons, in their order, and return their masses."""
    ordered = sorted(people)
    with connection.cursor() as cursor:
        cursor.execute(_MAKE, {"definition": version.pk, "slots": len(rules.signals), "people": ordered})
    return {row.person_id: list(row.masses) for row in _locked(ordered)}


def lock_of_leads(lead_ids: Sequence[int]) -> None:
    """Lock what there is of interest of these leads' persons, in the order of the persons."""
    list(_locked(sorted(set(Lead.objects.filter(pk__in=lead_ids).values_list("person_id", flat=True)))))


def lock_cooled(*, now: datetime, limit: int) -> list[int]:
    """Lock the interest of persons who cooled below their band; another sweep's are left to it."""
    due = Interest.objects.filter(cools_at__lte=now).order_by("cools_at", "person_id")
    return [row.person_id for row in due.select_for_update(skip_locked=True)[:limit]]


def forget_cooling(people: Collection[int]) -> None:
    """Persons without an open lead hold no band that could be left."""
    Interest.objects.filter(person_id__in=people).update(cools_at=None)


def write(rules: Definition, decay: Decay, held: dict[int, list[float]]) -> None:
    """Write the masses of these persons and the keys they rank by."""
    people = sorted(held)
    weights = rules.weights
    with connection.cursor() as cursor:
        cursor.execute(
            _WRITE,
            {
                "people": people,
                "masses": ["{" + ",".join(repr(m) for m in held[p]) + "}" for p in people],
                "keys": [decay.key(weights, held[p]) for p in people],
            },
        )


def _locked(people: Sequence[int]) -> Iterable[Interest]:
    return Interest.objects.filter(person_id__in=people).order_by("person_id").select_for_update()


def _counted(
    version: DefinitionVersion, rules: Definition, capped: Counter[tuple[int, int, date]]
) -> dict[tuple[int, int, date], int]:
    """Count capped signals on their days and tell how many of the new ones still count."""
    if not capped:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            _COUNT_DAYS,
            {
                "definition": version.pk,
                "people": [k[0] for k in capped],
                "slots": [k[1] for k in capped],
                "days": [k[2] for k in capped],
                "counts": list(capped.values()),
            },
        )
        totals = {(person, slot, day): total for person, slot, day, total in cursor.fetchall()}
    found = {}
    for key, more in capped.items():
        cap = rules.signals[key[1]].daily_cap or 0
        found[key] = counted_more(totals[key] - more, more, cap)
    return found
