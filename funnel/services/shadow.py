"""Scores by the version that waits: filled in the background beside those in force, and kept right meanwhile.

``Interest`` and ``LeadScore`` stay what the version in force says until ``promoting`` takes all of the
shadow over in one transaction. A person's masses are filled once, from all events, by the loop or by
whoever brings an event first; from then on an event adds to both versions. The lock of a person's
``Interest`` guards their shadow too, and that of a lead's ``LeadScore`` its next fit.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from django.db import connection, transaction

from funnel.domain.fit import Facts
from funnel.domain.interest import Occurrence, landmark_for
from funnel.domain.interest import masses as masses_of
from funnel.models import DefinitionState, DefinitionVersion, Filling, LeadScore, NextInterest, SignalDay
from funnel.selectors import facts, signals
from funnel.services import frames, masses, reheats
from funnel.services.frames import Frame
from leads.models import Lead, Person
from smarketing.core import loops
from smarketing.core.keysets import among
from smarketing.core.prepared import Statement

LOOP = "rescoring"
SWITCH = "definitions"  # the loop that puts in force what is full and due
_SWEPT = 20_000  # persons whose days are looked through in one pass
_WRITE = Statement(
    "next_interest_write",
    """
INSERT INTO funnel_nextinterest AS i (person_id, masses, key, reheated_at)
SELECT person, masses::float8[], key, NULL
  FROM unnest(%(people)s::bigint[], %(masses)s::text[], %(keys)s::float8[]) AS n(person, masses, key)
 ORDER BY person
ON CONFLICT (person_id) DO UPDATE SET masses = excluded.masses, key = excluded.key
""",
    by="people",
)
_REHEATED = """
UPDATE funnel_nextinterest i SET reheated_at = n.at
  FROM unnest(%(people)s::bigint[], %(ats)s::timestamptz[]) AS n(person, at)
 WHERE i.person_id = n.person AND i.reheated_at IS DISTINCT FROM n.at
"""
_WRITE_FITS = Statement(
    "next_scores_write",
    """
INSERT INTO funnel_nextscore AS s (lead_id, fit, fit_band, is_excluded)
SELECT lead, fit, fit_band, is_excluded
  FROM unnest(%(leads)s::bigint[], %(fits)s::float8[], %(fit_bands)s::text[], %(excluded)s::bool[])
    AS n(lead, fit, fit_band, is_excluded)
 ORDER BY lead
ON CONFLICT (lead_id) DO UPDATE
   SET fit = excluded.fit, fit_band = excluded.fit_band, is_excluded = excluded.is_excluded
""",
    by="leads",
)
# Days of versions that nobody counts by any more, of persons within a range of keys.
_SWEEP = """
DELETE FROM funnel_signalday
 WHERE person_id > %(after)s AND person_id <= %(last)s AND definition_id <> ALL(%(kept)s::bigint[])
"""


@transaction.atomic
def begin(*, version: DefinitionVersion) -> None:
    """Let the signed ``version`` follow the one in force, with nothing filled yet.

    Waits for whoever computes by the version in force alone; everybody after us computes by both.
    """
    _forget()
    total = Lead.objects.filter(closed_at=None).count()
    current = DefinitionVersion.objects.select_for_update().get(state=DefinitionState.IN_FORCE)
    if not frames.of(version=current).has_masses_of(frames.of(version=version)):
        total += Person.objects.count()
    Filling.objects.create(definition=version, total=total)
    DefinitionVersion.objects.filter(pk=current.pk).update(followed_by=version)
    loops.nudge(LOOP)


@transaction.atomic
def drop(*, version: DefinitionVersion) -> None:
    """The ``version`` that waits is taken back: nobody follows, and nothing of its scores stays."""
    DefinitionVersion.objects.filter(state=DefinitionState.IN_FORCE).update(followed_by=None)
    _forget()
    SignalDay.objects.filter(definition=version).delete()


@transaction.atomic
def fill(*, now: datetime, limit: int) -> int:
    """Score the next ``limit`` persons or leads by the version that waits; how many. 0: none waits, or full.

    The place reached is written in the same transaction, so that a pass that is killed is done again.
    """
    _measure_later(now=now)
    frame = frames.held()
    following = frame.following
    if following is None:
        return 0
    place = Filling.objects.select_for_update().get(definition=following.version)
    if place.is_full:
        return 0
    people: list[int] = []
    if not frame.has_masses_of(following):
        people = list(_keys(Person, after=place.at_person, limit=limit))
        _fill_people(frame, following, people)
    leads: list[int] = []
    if len(people) < limit:
        leads = _fill_leads(frame, after=place.at_lead, limit=limit - len(people))
    place.at_person = people[-1] if people else place.at_person
    place.at_lead = leads[-1] if leads else place.at_lead
    place.done += len(people) + len(leads)
    place.is_full = len(people) + len(leads) < limit
    place.total = place.done if place.is_full else max(place.total, place.done)
    place.save(update_fields=["at_person", "at_lead", "done", "total", "is_full"])
    if place.is_full:
        loops.nudge(SWITCH)
    return len(people) + len(leads)


def is_full(*, version: DefinitionVersion) -> bool:
    """Whether everybody has their score by this version, so that it can be switched to."""
    return Filling.objects.filter(definition=version, is_full=True).exists()


def add(*, frame: Frame, rows: Sequence[signals.Row], now: datetime) -> None:
    """Stored events count by the version that waits, too. The caller has locked the persons' interest."""
    following = frame.following
    if following is None or frame.has_masses_of(following):
        return
    gained = masses.gains(frame=following, rows=rows)
    held = {row.person_id: row for row in NextInterest.objects.filter(person_id__in=among(gained.touched))}
    # Their new events are among those that are read here.
    _build(following, [person for person in gained.touched if person not in held])
    sums = masses.summed(
        frame=following, gained=gained, held={person: row.masses for person, row in held.items()}
    )
    if not sums:
        return
    after = _write(following, sums)
    before = {person: row.key for person, row in held.items()}
    if over := reheats.crossed(frame=following, before=before, after=after, now=now):
        _keep_returns(following, signals.history(following.rules, over))


def rebuild(*, frame: Frame, people: Collection[int]) -> None:
    """Compute the next masses of these persons from all events; their interest is locked by the caller."""
    if frame.following is not None and not frame.has_masses_of(frame.following):
        _build(frame.following, sorted(people))


def write_fits(*, frame: Frame, known: Mapping[int, Facts]) -> None:
    """Write the next fit of these leads; their scores are locked, or were made, by the caller."""
    following = frame.following
    if following is None or not known:
        return
    fits = {lead: following.rules.fit_score(told) for lead, told in known.items()}
    _WRITE_FITS.count(
        leads=list(fits),
        fits=list(fits.values()),
        fit_bands=[following.rules.fit_band(fit) for fit in fits.values()],
        excluded=[following.rules.excluded_by(known[lead]) is not None for lead in fits],
    )


@transaction.atomic
def sweep() -> int:
    """After a switch: remove what former versions counted, a range of persons at a time; how many persons."""
    version = frames.held().version
    place = Filling.objects.select_for_update(skip_locked=True).filter(definition=version).first()
    if place is None:
        return 0
    people = list(_keys(Person, after=place.at_person, limit=_SWEPT))
    if not people:
        place.delete()
        return 0
    kept = [version.pk] + ([version.followed_by_id] if version.followed_by_id else [])
    with connection.cursor() as cursor:
        cursor.execute(_SWEEP, {"after": place.at_person, "last": people[-1], "kept": kept})
    place.at_person = people[-1]
    place.save(update_fields=["at_person"])
    return len(people)


def _fill_people(frame: Frame, following: Frame, people: Sequence[int]) -> None:
    known = masses.with_behaviour(people=people)
    masses.lock_people(frame=frame, people=known)
    _build(following, known)


def _fill_leads(frame: Frame, *, after: int, limit: int) -> list[int]:
    """The next scored open leads, whose scores are locked before their facts are read."""
    scores = LeadScore.objects.filter(lead__closed_at=None, lead_id__gt=after).order_by("lead_id")
    leads = list(scores.values_list("lead_id", flat=True).select_for_update(of=("self",))[:limit])
    if leads:
        write_fits(frame=frame, known=facts.of_leads(leads))
    return leads


def _build(following: Frame, people: Sequence[int]) -> None:
    if not people:
        return
    history = signals.history(following.rules, people)
    masses.count_days(frame=following, history=history)
    _write(following, {p: masses_of(following.decay, history[p], following.rules.caps) for p in people})
    _keep_returns(following, history)


def _write(following: Frame, held: Mapping[int, Sequence[float]]) -> dict[int, float | None]:
    people = sorted(held)
    keys = {p: following.decay.key(following.rules.weights, held[p]) for p in people}
    texts = [masses.array_text(values=held[p]) for p in people]
    _WRITE.count(people=people, masses=texts, keys=list(keys.values()))
    return keys


def _keep_returns(following: Frame, history: Mapping[int, Sequence[Occurrence]]) -> None:
    found = reheats.instants(frame=following, history=history)
    with connection.cursor() as cursor:
        cursor.execute(_REHEATED, {"people": list(found), "ats": list(found.values())})


def _keys(model: type[Person], *, after: int, limit: int) -> list[int]:
    rows = model.objects.filter(pk__gt=after).order_by("pk")
    return list(rows.values_list("pk", flat=True)[:limit])


def _measure_later(*, now: datetime) -> None:
    """Fill anew from a later landmark what waits for very long, before its numbers grow too large."""
    if _far(now) is None:
        return
    # Waits for whoever computes by the earlier landmark, and makes others look again.
    DefinitionVersion.objects.select_for_update().get(state=DefinitionState.IN_FORCE)
    if (version := _far(now)) is not None:
        version.landmark, version.updated_at = landmark_for(now), now
        version.save(update_fields=["landmark", "updated_at"])
        begin(version=version)


def _far(now: datetime) -> DefinitionVersion | None:
    """The version that waits, if its landmark has to move."""
    waiting = DefinitionVersion.objects.filter(state=DefinitionState.SIGNED, filling__isnull=False).first()
    return waiting if waiting is not None and frames.of(version=waiting).decay.needs_shift(now) else None


def _forget() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM funnel_nextinterest")
        cursor.execute("DELETE FROM funnel_nextscore")
    Filling.objects.filter(definition__state=DefinitionState.SIGNED).delete()
