"""Writes of the decayed masses: one row per person, one slot per signal (architecture 2.2)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from django.db import connection

from funnel.domain.interest import Occurrence, counted_more, day_start
from funnel.domain.interest import masses as masses_of
from funnel.models import Interest, SignalDay
from funnel.selectors import signals
from funnel.services import reheats
from funnel.services.frames import Frame
from smarketing.core.keysets import among
from smarketing.core.prepared import IsAmong, Query, Statement

_MAKE = Statement(
    "interest_make",
    """
INSERT INTO funnel_interest (person_id, definition_id, masses, key, cools_at)
SELECT p, %(definition)s::bigint, array_fill(0::float8, ARRAY[%(slots)s::int]), NULL, NULL
  FROM unnest(%(people)s::bigint[]) AS p ORDER BY p
ON CONFLICT (person_id) DO NOTHING
""",
    by="people",
)
_LOCK_OF_LEADS = Statement(
    "interest_lock_of_leads",
    """
SELECT i.person_id, i.definition_id FROM funnel_interest i
 WHERE i.person_id = ANY(ARRAY(SELECT person_id FROM leads_lead WHERE id = ANY(%(leads)s::bigint[])))
 ORDER BY i.person_id FOR UPDATE
""",
    by="leads",
)
_LOCKED = Query(
    "interest_lock",
    lambda: Interest.objects.filter(IsAmong("person_id", "people")).order_by("person_id"),
    ending="FOR UPDATE",
    by="people",
)
_COUNT_DAYS = Statement(
    "signal_days_count",
    """
INSERT INTO funnel_signalday AS d (person_id, definition_id, slot, day, count)
SELECT person, %(definition)s::bigint, slot, day, n
  FROM unnest(%(people)s::bigint[], %(slots)s::int[], %(days)s::date[], %(counts)s::int[])
    AS i(person, slot, day, n)
 ORDER BY person, slot, day
ON CONFLICT (person_id, definition_id, slot, day) DO UPDATE SET count = d.count + excluded.count
RETURNING person_id, slot, day, count
""",
    by="people",
)
_WRITE = Statement(
    "interest_write",
    """
UPDATE funnel_interest i SET masses = n.masses::float8[], key = n.key, definition_id = %(definition)s::bigint
  FROM unnest(%(people)s::bigint[], %(masses)s::text[], %(keys)s::float8[]) AS n(person, masses, key)
 WHERE i.person_id = n.person
""",
    by="people",
)


@dataclass(frozen=True, slots=True)
class Gains:
    """What events add: masses per person and slot at once, counts per day where a cap has to decide.

    ``touched`` counts the signals per person.
    """

    free: dict[tuple[int, int], float]
    capped: Counter[tuple[int, int, date]]
    touched: Counter[int]


def gains(*, frame: Frame, rows: Iterable[signals.Row]) -> Gains:
    """What these stored events are worth by this version."""
    found = Gains(defaultdict(float), Counter(), Counter())
    rows = list(rows)
    for row, counted in zip(rows, signals.slots_of(frame.rules, rows), strict=True):
        person, at = row[0], row[4]
        for slot in counted:
            found.touched[person] += 1
            if frame.rules.signals[slot].daily_cap is None:
                found.free[person, slot] += frame.decay.mass(at)
            else:
                found.capped[person, slot, day_start(at).date()] += 1
    return found


def summed(*, frame: Frame, gained: Gains, held: Mapping[int, Sequence[float]]) -> dict[int, list[float]]:
    """The masses of those who are ``held`` with what they gained; a capped signal is counted on its day."""
    sums = {person: list(masses) for person, masses in held.items()}
    capped = Counter({key: n for key, n in gained.capped.items() if key[0] in held})
    for (person, slot, day), count in _counted(frame, capped).items():
        instant = datetime.combine(day, datetime.min.time(), tzinfo=UTC)
        sums[person][slot] += frame.decay.mass(instant, count)
    for (person, slot), mass in gained.free.items():
        if person in sums:
            sums[person][slot] += mass
    return sums


def add(*, frame: Frame, rows: Iterable[signals.Row], now: datetime) -> dict[int, int]:
    """Add stored events to the masses of their persons; return how many signals counted per person.

    Persons whose masses are still those of an earlier version get theirs from all their events,
    the new ones among them.
    """
    rules, decay = frame.rules, frame.decay
    gained = gains(frame=frame, rows=rows)
    if not gained.touched:
        return {}
    held = lock_people(frame=frame, people=gained.touched)
    stale = [person for person, row in held.items() if row.definition_id != frame.version.pk]
    rebuild(frame=frame, people=stale)
    for person in stale:
        held.pop(person)
    sums = summed(frame=frame, gained=gained, held={person: row.masses for person, row in held.items()})
    write(frame=frame, held=sums)
    before = {person: row.key for person, row in held.items()}
    after = {person: decay.key(rules.weights, sums[person]) for person in held}
    reheats.note(frame=frame, before=before, after=after, now=now)
    return dict(gained.touched)


def rebuild(*, frame: Frame, people: Sequence[int]) -> float:
    """Compute the masses of these persons from their events; return the largest relative difference.

    The caller holds the locks of their interest. Rows of another version count as no difference.
    """
    if not people:
        return 0.0
    before = {row.person_id: row for row in Interest.objects.filter(person_id__in=among(people))}
    history = signals.history(frame.rules, people)
    sums = {p: masses_of(frame.decay, history[p], frame.rules.caps) for p in people}
    count_days(frame=frame, history=history)
    write(frame=frame, held=sums)
    reheats.keep(frame=frame, history=history)
    worst = 0.0
    for person, fresh in sums.items():
        row = before.get(person)
        if row is not None and row.definition_id == frame.version.pk:
            pairs = zip(row.masses, fresh, strict=True)
            worst = max([worst, *(abs(a - b) / max(abs(a), abs(b), 1e-300) for a, b in pairs)])
    return worst


def count_days(*, frame: Frame, history: Mapping[int, Sequence[Occurrence]]) -> None:
    """Write how often capped signals happened on each day by this version, from all events."""
    SignalDay.objects.filter(person_id__in=among(history), definition=frame.version).delete()
    counts: Counter[tuple[int, int, date]] = Counter()
    for person, events in history.items():
        for event in events:
            if frame.rules.signals[event.slot].daily_cap is not None:
                counts[person, event.slot, day_start(event.at).date()] += 1
    _counted(frame, counts)


def lock_people(*, frame: Frame, people: Collection[int]) -> dict[int, Interest]:
    """Make and lock the interest of these persons, in their order."""
    ordered = sorted(people)
    _MAKE.count(definition=frame.version.pk, slots=len(frame.rules.signals), people=ordered)
    return {row.person_id: row for row in _locked(ordered)}


def lock_of_leads(*, frame: Frame, lead_ids: Sequence[int]) -> bool:
    """Lock what there is of interest of these leads' persons, and bring it to this version.

    Says whether any of them has shown interest.
    """
    held = _LOCK_OF_LEADS.rows(leads=sorted(set(lead_ids)))
    rebuild(frame=frame, people=[person for person, version in held if version != frame.version.pk])
    return bool(held)


def lock_cooled(*, frame: Frame, now: datetime, limit: int) -> list[int]:
    """Lock the interest of persons who cooled below their band; another sweep's are left to it."""
    due = Interest.objects.filter(cools_at__lte=now, definition=frame.version)
    rows = due.order_by("cools_at", "person_id").select_for_update(skip_locked=True)[:limit]
    return [row.person_id for row in rows]


def forget_cooling(*, people: Collection[int]) -> None:
    """Persons without an open lead hold no band that could be left."""
    Interest.objects.filter(person_id__in=among(people)).update(cools_at=None)


def write(*, frame: Frame, held: dict[int, list[float]]) -> None:
    """Write the masses of these persons and the keys they rank by."""
    people = sorted(held)
    weights = frame.rules.weights
    _WRITE.count(
        people=people,
        masses=[array_text(values=held[p]) for p in people],
        keys=[frame.decay.key(weights, held[p]) for p in people],
        definition=frame.version.pk,
    )


def with_behaviour(*, people: Sequence[int]) -> list[int]:
    """Those of these persons that have events or interest."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT p FROM unnest(%s::bigint[]) AS p
             WHERE EXISTS (SELECT 1 FROM leads_event e WHERE e.person_id = p)
                OR EXISTS (SELECT 1 FROM funnel_interest i WHERE i.person_id = p)
             ORDER BY p
            """,
            [list(people)],
        )
        return [row[0] for row in cursor.fetchall()]


def array_text(*, values: Sequence[float]) -> str:
    """The literal of an array of floats, to the last digit."""
    return "{" + ",".join(map(repr, values)) + "}"


def _locked(people: Sequence[int]) -> Iterable[Interest]:
    return _LOCKED.all(people=list(people))


def _counted(frame: Frame, capped: Counter[tuple[int, int, date]]) -> dict[tuple[int, int, date], int]:
    """Count capped signals on their days and tell how many of the new ones still count."""
    if not capped:
        return {}
    rows = _COUNT_DAYS.rows(
        definition=frame.version.pk,
        people=[k[0] for k in capped],
        slots=[k[1] for k in capped],
        days=[k[2] for k in capped],
        counts=list(capped.values()),
    )
    totals = {(person, slot, day): total for person, slot, day, total in rows}
    found = {}
    for key, more in capped.items():
        cap = frame.rules.signals[key[1]].daily_cap or 0
        found[key] = counted_more(totals[key] - more, more, cap)
    return found
