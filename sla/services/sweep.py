"""The sweep: every threshold that lies strictly before now fires, in one statement.

Safe for any number of runners at once: rows that another transaction holds are skipped and found by
the next pass, ``UNIQUE (clock, level)`` makes a second firing impossible, and a firing is dated by its
threshold, not by the sweep that saw it.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from funnel.models import Handoff
from sla.domain.ladders import EXPIRE, REASSIGN
from sla.events import LevelReached, ThresholdsReached
from sla.models import Clock
from sla.services import alerts, clocks, escalations
from smarketing.core import events
from smarketing.core.prepared import Statement

# The handoff is locked with its clock, in the order of all services: a level may expire it.
_SWEEP = Statement(
    "sla_sweep",
    """
WITH due AS (
  SELECT c.id, c.handoff_id, c.owner_id, c.clause_id, c.kind AS promise, c.fired, c.thresholds
    FROM sla_clock c JOIN funnel_handoff h ON h.id = c.handoff_id
   WHERE c.next_at < %(now)s::timestamptz
   ORDER BY c.next_at, c.id
   LIMIT %(limit)s::bigint
     FOR NO KEY UPDATE OF h, c SKIP LOCKED
), expiry AS (
  -- Once a handoff has expired nothing more is promised about it: later levels of its clocks don't fire.
  SELECT k.handoff_id, min((t->>'at')::timestamptz) AS at
    FROM sla_clock k JOIN funnel_handoff h ON h.id = k.handoff_id AND h.state = 'delivered',
         jsonb_array_elements(k.thresholds) t
   WHERE k.handoff_id IN (SELECT handoff_id FROM due) AND k.next_at < %(now)s::timestamptz
     AND t->>'name' = 'expire' AND (t->>'level')::int > k.fired
     AND (t->>'at')::timestamptz < %(now)s::timestamptz
   GROUP BY k.handoff_id
), level AS (
  SELECT due.id, due.handoff_id, (t->>'level')::int AS level, (t->>'at')::timestamptz AS due_at,
         CASE t->>'kind' WHEN 'after' THEN t->>'name' ELSE t->>'kind' END AS kind,
         (t->>'at')::timestamptz < %(now)s::timestamptz
           AND (t->>'at')::timestamptz <= coalesce(expiry.at, 'infinity') AS is_due
    FROM due LEFT JOIN expiry ON expiry.handoff_id = due.handoff_id, jsonb_array_elements(due.thresholds) t
   WHERE (t->>'level')::int > due.fired
), fired AS (
  INSERT INTO sla_clockevent (clock_id, level, kind, due_at, detected_at, void_reason)
  SELECT id, level, kind, due_at, %(now)s::timestamptz, '' FROM level WHERE is_due
      ON CONFLICT (clock_id, level) DO NOTHING
  RETURNING clock_id, level, kind, due_at
), book AS (
  SELECT id,
         count(*) FILTER (WHERE is_due) AS newly,
         min(due_at) FILTER (WHERE NOT is_due) AS next_at,
         min(due_at) FILTER (WHERE kind = 'breach' AND is_due) AS breached_at
    FROM level GROUP BY id
), done AS (
  UPDATE sla_clock c
     SET fired = c.fired + book.newly,
         next_at = book.next_at,
         state = CASE WHEN book.breached_at IS NULL THEN c.state ELSE 'breached_open' END,
         breached_at = coalesce(book.breached_at, c.breached_at),
         version = c.version + 1
    FROM book WHERE book.id = c.id
  RETURNING c.id
)
SELECT fired.clock_id, due.handoff_id, due.owner_id, due.clause_id, due.promise, fired.level, fired.kind,
       fired.due_at, (SELECT count(*) FROM done)
  FROM fired JOIN due ON due.id = fired.clock_id
 ORDER BY fired.due_at, fired.clock_id, fired.level
""",
)
_RELEASED = Statement(
    "sla_pauses_over",
    """
SELECT handoff_id, id FROM sla_clock WHERE resumes_at < %(now)s::timestamptz
 ORDER BY resumes_at, id LIMIT %(limit)s::bigint
""",
)


def run_once(*, now: datetime, limit: int = 500) -> int:
    """Fire what is due on at most ``limit`` clocks; return how many clocks were handled.

    One transaction: the levels, what they cause (an expiry, another owner) and the facts are whole or not
    at all. Pauses whose time is used up end before, each dated by when it was.
    """
    released = _release(now, limit)
    with transaction.atomic():
        rows = _SWEEP.rows(now=now, limit=limit)
        reached = tuple(LevelReached(*row[:-1]) for row in rows)
        if reached:
            alerts.tell(reached=reached, now=now)
            events.publish(ThresholdsReached(levels=reached, now=now))
        _act_on(reached, now)
    return released + (int(rows[0][-1]) if rows else 0)


def _act_on(reached: tuple[LevelReached, ...], now: datetime) -> None:
    """What the last steps of a ladder do, in the order of their instants: each is a decision of its own."""
    for level in reached:
        if level.kind == EXPIRE:
            clocks.expire_handoff(handoff_id=level.handoff_id, at=level.due_at, now=now)
        elif level.kind == REASSIGN:
            escalations.reassign(clock_id=level.clock_id, now=now)


def _release(now: datetime, limit: int) -> int:
    """Let clocks go on whose pause is over; what somebody holds is left for the next pass."""
    found: dict[int, int] = dict(_RELEASED.rows(now=now, limit=limit))
    if not found:
        return 0
    with transaction.atomic():
        free = Handoff.objects.filter(pk__in=found).order_by("pk")
        held = set(free.select_for_update(no_key=True, skip_locked=True).values_list("pk", flat=True))
        paused = list(Clock.objects.filter(pk__in=[found[pk] for pk in held], resumes_at__lt=now))
        clocks.close_books(clocks=paused, at=now, now=now)
    return len(paused)


def lag_seconds(*, now: datetime) -> float:
    """How late the oldest threshold that is due is: the service level of the sweep itself, in seconds."""
    oldest = Clock.objects.filter(next_at__lt=now).order_by("next_at", "pk").values_list("next_at", flat=True)
    first = oldest.first()
    return (now - first).total_seconds() if first else 0.0
