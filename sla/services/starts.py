"""Clocks begin: all that a delivery or a return starts, with their first entries, in one statement."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from sla.domain import clocks as rules
from sla.domain.ladders import levels_after
from sla.events import ClockStarted
from sla.models import Clock
from sla.selectors.promised import KIND_OF, TimePromise
from sla.services import books
from smarketing.core import events
from smarketing.core.prepared import Statement

_START = Statement(
    "clocks_start",
    """
WITH given AS (
  SELECT * FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (
    clause bigint, calendar_version bigint, owner bigint, kind text, state text, target int,
    due_at timestamptz, next_at timestamptz, thresholds jsonb, after jsonb)
), made AS (
  INSERT INTO sla_clock (handoff_id, clause_id, calendar_version_id, owner_id, kind, cycle, state, started_at,
                         target_seconds, due_at, thresholds, fired, next_at, version)
  SELECT %(handoff)s::bigint, clause, calendar_version, owner, kind, %(cycle)s::int, state,
         %(at)s::timestamptz, target, due_at, thresholds, 0, next_at, 1
    FROM given
  RETURNING id, clause_id
), noted AS (
  INSERT INTO sla_clockaction (clock_id, verb, at, recorded_at, reason, before, after)
  SELECT made.id, 'start', %(at)s::timestamptz, %(now)s::timestamptz, '', '{}', given.after
    FROM made JOIN given ON given.clause = made.clause_id
)
SELECT clause_id, id FROM made
""",
)


def start_all(
    *,
    handoff_id: int,
    owner_id: int,
    promises: Sequence[TimePromise],
    at: datetime,
    now: datetime,
    cycle: int = 1,
) -> list[Clock]:
    """Start the clock of each promise, in the caller's transaction; thresholds are computed here, once.

    Raises ``sla.domain.calendars.CalendarError`` when a calendar opens no more.
    """
    clocks = [_clock(promise, handoff_id, owner_id, at=at, cycle=cycle) for promise in promises]
    if not clocks:
        return []
    rows = json.dumps([_row(clock) for clock in clocks])
    made: dict[int, int] = dict(_START.rows(rows=rows, handoff=handoff_id, cycle=cycle, at=at, now=now))
    for clock in clocks:
        clock.pk = made[clock.clause_id]
        clock._state.adding, clock._state.db = False, "default"
        due_at = rules.breach_of(rules.Threshold.from_json(t) for t in clock.thresholds).at
        events.publish(ClockStarted(clock_id=clock.pk, handoff_id=handoff_id, due_at=due_at, now=now))
    return clocks


def _clock(promise: TimePromise, handoff_id: int, owner_id: int, *, at: datetime, cycle: int) -> Clock:
    spec, target = promise.spec, promise.target
    levels = levels_after(metric=spec.metric, terms=spec.terms, target=target)
    clock = Clock(
        handoff_id=handoff_id,
        clause_id=promise.clause_id,
        calendar_version_id=promise.calendar_version_id,
        owner_id=owner_id,
        kind=KIND_OF[spec.metric],
        cycle=cycle,
        started_at=at,
        target_seconds=int(target.total_seconds()),
    )
    state = rules.start(at, rules.plan(at, target=target, calendar=promise.calendar, after=levels))
    books.apply(clock=clock, state=state)
    return clock


def _row(clock: Clock) -> dict[str, object]:
    """What differs from clock to clock, as the statement takes it."""
    return {
        "clause": clock.clause_id,
        "calendar_version": clock.calendar_version_id,
        "owner": clock.owner_id,
        "kind": str(clock.kind),
        "state": str(clock.state),
        "target": clock.target_seconds,
        "due_at": clock.due_at.isoformat() if clock.due_at else None,
        "next_at": clock.next_at.isoformat() if clock.next_at else None,
        "thresholds": clock.thresholds,
        "after": books.snapshot(clock=clock),
    }
