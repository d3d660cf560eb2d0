"""The sweep: every threshold that lies strictly before now fires, in one statement.

Safe for any number of runners at once: rows that another transaction holds are skipped and found by
the next pass, ``UNIQUE (clock, level)`` makes a second firing impossible, and a firing is dated by its
threshold, not by the sweep that saw it.
"""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction

from sla.events import ThresholdReached
from sla.models import Clock
from sla.services import alerts, clocks
from smarketing.core import events

# The handoff is locked with its clock, in the order of all services: a level may expire it.
_SWEEP = """
WITH due AS (
  SELECT c.id, c.handoff_id, c.fired, c.thresholds
    FROM sla_clock c JOIN funnel_handoff h ON h.id = c.handoff_id
   WHERE c.next_at < %(now)s
   ORDER BY c.next_at, c.id
   LIMIT %(limit)s
     FOR NO KEY UPDATE OF h, c SKIP LOCKED
), level AS (
  SELECT due.id, due.handoff_id, (t->>'level')::int AS level, (t->>'at')::timestamptz AS due_at,
         CASE t->>'kind' WHEN 'after' THEN t->>'name' ELSE t->>'kind' END AS kind
    FROM due, jsonb_array_elements(due.thresholds) t
   WHERE (t->>'level')::int > due.fired
), fired AS (
  INSERT INTO sla_clockevent (clock_id, level, kind, due_at, detected_at, void_reason)
  SELECT id, level, kind, due_at, %(now)s, '' FROM level WHERE due_at < %(now)s
      ON CONFLICT (clock_id, level) DO NOTHING
  RETURNING clock_id, level, kind, due_at
), book AS (
  SELECT id,
         count(*) FILTER (WHERE due_at < %(now)s) AS newly,
         min(due_at) FILTER (WHERE due_at >= %(now)s) AS next_at,
         min(due_at) FILTER (WHERE kind = 'breach' AND due_at < %(now)s) AS breached_at
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
SELECT fired.clock_id, due.handoff_id, fired.level, fired.kind, fired.due_at, (SELECT count(*) FROM done)
  FROM fired JOIN due ON due.id = fired.clock_id
 ORDER BY fired.due_at, fired.clock_id, fired.level
"""


def run_once(*, now: datetime, limit: int = 500) -> int:
    """Fire what is due on at most ``limit`` clocks; return how many clocks were handled.

    One transaction: the levels, what they cause (an expiry) and the facts are whole or not at all.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_SWEEP, {"now": now, "limit": limit})
            rows = cursor.fetchall()
        reached = [
            ThresholdReached(
                clock_id=clock_id,
                handoff_id=handoff_id,
                level=level,
                kind=kind,
                due_at=due_at,
                now=now,
            )
            for clock_id, handoff_id, level, kind, due_at, _ in rows
        ]
        alerts.tell(reached=reached, now=now)
        for fact in reached:
            events.publish(fact)
            if fact.kind == clocks.EXPIRE:
                clocks.expire_handoff(handoff_id=fact.handoff_id, at=fact.due_at, now=now)
    return int(rows[0][5]) if rows else 0


def lag_seconds(*, now: datetime) -> float:
    """How late the oldest threshold that is due is: the service level of the sweep itself, in seconds."""
    oldest = Clock.objects.filter(next_at__lt=now).order_by("next_at", "pk").values_list("next_at", flat=True)
    first = oldest.first()
    return (now - first).total_seconds() if first else 0.0
