"""Replaying definitions on history: asked for on the page, carried out by a process of its own.

The process holds a lock of its connection, so there is one at a time; when it dies the next pass of the loop
starts another one, which begins the replay anew. A replay that has ended its process three times fails.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from funnel.domain import drafts
from funnel.domain.definitions import Definition
from funnel.domain.interest import Decay, landmark_for
from funnel.domain.replay import SCALES, FactsUntil, Past, Tally, qualified_at, scaled
from funnel.models import DefinitionVersion, Replay, ReplayState
from funnel.selectors import past_facts, past_leads, pool_rows, signals
from smarketing.core import locks, loops, processes
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
    done = 0
    for batch in past_leads.batches(start=start, end=end):
        known = past_facts.of_leads([past.lead_id for past, _person in batch])
        for candidate in candidates:
            _replay(candidate, batch, known, end)
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
    return _Candidate(rules, decay, others, Tally(start=start, end=end, day_of=day_of))


def _replay(
    candidate: _Candidate,
    batch: Sequence[tuple[Past, int]],
    known: Mapping[int, Sequence[FactsUntil]],
    end: datetime,
) -> None:
    happened = signals.history(candidate.rules, list({person for _past, person in batch}))
    for past, person in batch:
        found: dict[float, datetime | None] = dict.fromkeys(SCALES)
        for scale in SCALES:
            rules = candidate.others.get(scale, candidate.rules)
            given = (rules, candidate.decay, past, known[past.lead_id], happened[person])
            found[scale] = qualified_at(*given, before=end)
            if found[scale] is None:
                break  # higher thresholds are not met either
        candidate.tally.add(past, found[1.0], found)


def _reps() -> tuple[int, int | None]:
    """How many reps take leads, and how many leads they may hold at once if everyone is capped."""
    places = [place for row in pool_rows.pools() for place in row.places if place.takes_leads]
    caps = {place.user.pk: place.member.open_cap if place.member else None for place in places}
    known = [cap for cap in caps.values() if cap]
    return len(caps), sum(known) if caps and len(known) == len(caps) else None
