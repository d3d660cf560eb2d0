"""Replaying definitions on history: asked for on the page, carried out by a process of its own.

The process holds a lock of its connection, so there is one at a time; when it dies the next pass of the loop
starts another one, which begins the replay anew. A replay that has ended its process three times fails.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from django.utils.translation import gettext as _

from funnel.domain import drafts
from funnel.domain.definitions import Definition
from funnel.domain.interest import Decay, Occurrence, landmark_for
from funnel.domain.replay import SCALES, FactsUntil, Past, Tally, fits_of, is_free, qualified_at, scaled
from funnel.domain.replay_arrays import (
    NONE,
    Ints,
    Leads,
    Parts,
    first_hand_offs,
    instant_of,
    may_hand_off,
    micros,
    parts_of,
)
from funnel.models import DefinitionVersion, Replay, ReplayState
from funnel.selectors import behaviour, past_facts, past_leads, pool_rows, signals
from funnel.selectors.behaviour import Behaviour
from smarketing.core import garbage, locks, loops, processes
from smarketing.core.errors import FieldError, Invalid
from smarketing.users.models import User
from smarketing.users.selectors import organisation

LOOP = "replays"
MOST_VERSIONS = 4
LONGEST = timedelta(days=3 * 366)
MAX_ATTEMPTS = 3
_LOCK = (locks.Namespace.REPLAY, 1)
logger = logging.getLogger(__name__)


class ReplayNotPossible(Invalid):
    """A replay needs one to four versions and a period that has begun and is not longer than three years."""

    code = "replay_not_possible"


@dataclass(frozen=True, slots=True)
class _Candidate:
    """One version on its way through the leads, with its other thresholds."""

    rules: Definition
    decay: Decay
    others: Mapping[float, Definition]
    tally: Tally
    slots: behaviour.Slots


def ask(
    *,
    versions: Sequence[DefinitionVersion],
    start: datetime,
    end: datetime,
    actor: User | None,
    now: datetime,
) -> Replay:
    """Ask for a replay of [start, end); the worker starts it within seconds.

    The documents are kept as they are now: an edit of a draft does not change what the replay says.
    Raises :class:`ReplayNotPossible`.
    """
    problems = []
    if not 1 <= len(versions) <= MOST_VERSIONS:
        problems.append(FieldError("versions", "count", _("Choose one to four versions.")))
    if start >= min(end, now):
        problems.append(
            FieldError("start", "order", _("The period must begin before it ends, and before now."))
        )
    elif end - start > LONGEST:
        problems.append(FieldError("end", "too_long", _("A replay looks at three years at most.")))
    if problems:
        raise ReplayNotPossible(problems[0].detail, errors=problems)
    told = [
        {"number": v.number, "name": v.name, "state": str(v.state), "digest": v.digest, "body": v.body}
        for v in versions
    ]
    replay = Replay.objects.create(
        starts_at=start, ends_at=min(end, now), versions=told, requested_by=actor, requested_at=now
    )
    loops.nudge(LOOP)
    return replay


def ask_again(*, replay: Replay, actor: User | None, now: datetime) -> Replay:
    """The same documents over the same period, with what is known now."""
    again = Replay.objects.create(
        starts_at=replay.starts_at,
        ends_at=replay.ends_at,
        versions=replay.versions,
        requested_by=actor,
        requested_at=now,
    )
    loops.nudge(LOOP)
    return again


def run_once(*, now: datetime, limit: int) -> int:
    """Start the process if a replay is due and none runs; how many it started."""
    if not Replay.objects.due().exists() or locks.is_held(*_LOCK):
        return 0
    processes.start("replay", "--due")
    return 1


def work(*, clock: Callable[[], datetime]) -> int:
    """Carry out everything that is due, unless another process does; how many replays there were."""
    handled = 0
    with locks.session(*_LOCK) as ours:
        while ours and (replay := Replay.objects.due().first()):
            carry_out(replay=replay, clock=clock)
            handled += 1
    return handled


def carry_out(*, replay: Replay, clock: Callable[[], datetime]) -> None:
    """Compute one replay and keep its results, or what went wrong."""
    replay.attempts += 1
    replay.state, replay.leads_done = ReplayState.RUNNING, 0
    replay.leads_total = past_leads.how_many(start=replay.starts_at, end=replay.ends_at)
    replay.save(update_fields=["attempts", "state", "leads_done", "leads_total"])
    try:
        if replay.attempts > MAX_ATTEMPTS:
            raise RuntimeError(f"it ended its process {MAX_ATTEMPTS} times")
        replay.results = compute(
            documents=[version["body"] for version in replay.versions],
            start=replay.starts_at,
            end=replay.ends_at,
            progress=lambda done: Replay.objects.filter(pk=replay.pk).update(leads_done=done),
        )
    except Exception as fault:
        replay.state, replay.problem = ReplayState.FAILED, f"{type(fault).__name__}: {fault}"[:500]
        logger.exception("replay_failed", extra={"replay": replay.pk})
    else:
        replay.state, replay.leads_done = ReplayState.DONE, replay.leads_total
    replay.ended_at = clock()
    replay.save(update_fields=["state", "problem", "results", "leads_done", "ended_at"])


def compute(
    *,
    documents: Sequence[Any],
    start: datetime,
    end: datetime,
    progress: Callable[[int], object] = lambda done: None,
) -> list[dict[str, Any]]:
    """One result per document over the leads that were open in [start, end)."""
    zone = organisation.zone()
    candidates = [_candidate(document, start, end, zone) for document in documents]
    asked = {kind for candidate in candidates for kind in behaviour.asked_by(candidate.rules)}
    done = 0
    for batch in past_leads.batches(start=start, end=end):
        with garbage.left_alone():
            _replay(candidates, _Batch.of(batch, asked), end)
        done += len(batch)
        progress(done)
    reps, capacity = _reps()
    return [c.tally.result(reps=reps, capacity=capacity) for c in candidates]


def _candidate(document: Any, start: datetime, end: datetime, zone: ZoneInfo) -> _Candidate:
    rules = drafts.parse(document)
    decay = Decay(landmark_for(end), rules.half_life)

    def day_of(instant: datetime) -> date:
        return instant.astimezone(zone).date()

    others = {scale: scaled(rules, scale) for scale in SCALES if scale != 1.0}
    return _Candidate(rules, decay, others, Tally(start=start, end=end, day_of=day_of), slots={})


@dataclass(frozen=True, slots=True)
class _Batch:
    """Some leads with what they did. ``person`` tells the place of each lead's person in ``people``."""

    leads: Sequence[Past]
    people: Sequence[int]
    person: Ints
    captured: Ints
    behaviour: Sequence[Behaviour]

    @classmethod
    def of(cls, rows: Sequence[tuple[Past, int]], asked: Collection[str]) -> _Batch:
        leads = [past for past, _person in rows]
        places: dict[int, int] = {}
        person = np.array([places.setdefault(pk, len(places)) for _past, pk in rows], dtype=np.int64)
        captured = np.array([micros(past.captured_at) for past in leads], dtype=np.int64)
        people = list(places)
        return cls(leads, people, person, captured, behaviour.of_people(people, asked=asked))


def _replay(candidates: Sequence[_Candidate], batch: _Batch, end: datetime) -> None:
    """Bring every candidate through these leads. What was known of a lead is asked only where its behaviour
    could have been enough for one of them.
    """
    parts = [_parts(candidate, batch, end) for candidate in candidates]
    could = [
        may_hand_off(c.rules, c.decay, p, person=batch.person, captured=batch.captured, lowest=min(SCALES))
        for c, p in zip(candidates, parts, strict=True)
    ]
    wanted = np.flatnonzero(np.logical_or.reduce(could)).tolist()
    known = past_facts.of_leads([batch.leads[number].lead_id for number in wanted])
    for candidate, its_parts, its_leads in zip(candidates, parts, could, strict=True):
        found = _found(candidate, batch, np.flatnonzero(its_leads), its_parts, known, end)
        nothing = dict.fromkeys(SCALES)
        for number, past in enumerate(batch.leads):
            scales = found.get(number, nothing)
            if scales is not nothing or past.delivered_at is not None or past.won:
                candidate.tally.add(past, scales[1.0], scales)


def _parts(candidate: _Candidate, batch: _Batch, end: datetime) -> Parts:
    happened = behaviour.occurrences(candidate.rules, batch.behaviour, known=candidate.slots)
    return parts_of(candidate.rules, candidate.decay, happened, before=end)


def _found(
    candidate: _Candidate,
    batch: _Batch,
    numbers: Ints,
    parts: Parts,
    known: Mapping[int, Sequence[FactsUntil]],
    end: datetime,
) -> dict[int, dict[float, datetime | None]]:
    """When those leads would have qualified, by the scale of the thresholds."""
    if not len(numbers):
        return {}
    facts = {number: known[batch.leads[number].lead_id] for number in numbers.tolist()}
    leads = Leads(
        batch.person[numbers], batch.captured[numbers], [fits_of(candidate.rules, f) for f in facts.values()]
    )
    instants, doubtful = first_hand_offs(
        candidate.rules, candidate.decay, parts, leads, scales=SCALES, before=end
    )
    found = {
        number: _until_none(candidate.rules, facts[number], row)
        for number, row in zip(numbers.tolist(), instants.tolist(), strict=True)
        if row[0] != NONE
    }
    slow = {number: batch.people[batch.person[number]] for number in numbers[doubtful].tolist()}
    happened = signals.history(candidate.rules, sorted(set(slow.values()))) if slow else {}
    for number, person in slow.items():
        found[number] = _slowly(candidate, batch.leads[number], facts[number], happened[person], end)
    return found


def _until_none(
    rules: Definition, known: Sequence[FactsUntil], instants: Sequence[int]
) -> dict[float, datetime | None]:
    """The instants of rising thresholds, without those at which the lead was excluded and all beyond."""
    found: dict[float, datetime | None] = dict.fromkeys(SCALES)
    free: dict[int, datetime | None] = {NONE: None}
    for scale, count in zip(SCALES, instants, strict=True):
        if count not in free:
            instant = instant_of(count)
            free[count] = instant if is_free(rules, known, instant) else None
        if free[count] is None:
            break
        found[scale] = free[count]
    return found


def _slowly(
    candidate: _Candidate,
    past: Past,
    known: Sequence[FactsUntil],
    events: Sequence[Occurrence],
    end: datetime,
) -> dict[float, datetime | None]:
    """The same for one lead, event by event."""
    found: dict[float, datetime | None] = dict.fromkeys(SCALES)
    for scale in SCALES:
        rules = candidate.others.get(scale, candidate.rules)
        found[scale] = qualified_at(rules, candidate.decay, past, known, events, before=end)
        if found[scale] is None:
            break  # higher thresholds are not met either
    return found


def _reps() -> tuple[int, int | None]:
    """How many reps take leads, and how many leads they may hold at once if everyone is capped."""
    places = [place for row in pool_rows.pools() for place in row.places if place.takes_leads]
    caps = {place.user.pk: place.member.open_cap if place.member else None for place in places}
    known = [cap for cap in caps.values() if cap]
    return len(caps), sum(known) if caps and len(known) == len(caps) else None
