"""The leads of a period with what really became of them, for a replay."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db import connection

from funnel.domain.replay import Past

BATCH = 10_000
_NEXT = """
SELECT l.id, l.person_id, l.captured_at, h.delivered_at,
       CASE WHEN h.id IS NULL OR h.state IN ('delivered', 'assembling', 'gate_failed') THEN NULL
            ELSE h.state IN ('accepted', 'overturned') END,
       CASE WHEN h.id IS NULL OR h.state IN ('delivered', 'assembling', 'gate_failed') THEN NULL
            ELSE h.state IN ('returned', 'upheld') END,
       CASE WHEN hw.code = 'customer' THEN true WHEN s.code IN ('lost', 'disqualified') THEN false END
  FROM leads_lead l
  JOIN funnel_leadstate st ON st.lead_id = l.id
  JOIN funnel_stage s ON s.id = st.stage_id
  JOIN funnel_stage hw ON hw.id = st.high_water_id
  LEFT JOIN LATERAL (SELECT id, state, delivered_at FROM funnel_handoff
                      WHERE lead_id = l.id AND delivered_at IS NOT NULL ORDER BY delivered_at, id LIMIT 1
                    ) h ON true
 WHERE l.id > %(after)s AND l.captured_at < %(end)s AND (l.closed_at IS NULL OR l.closed_at >= %(start)s)
 ORDER BY l.id LIMIT %(limit)s
"""
_HOW_MANY = """
SELECT count(*) FROM leads_lead
 WHERE captured_at < %(end)s AND (closed_at IS NULL OR closed_at >= %(start)s)
"""


def how_many(*, start: datetime, end: datetime) -> int:
    """How many leads were open at any time in [start, end)."""
    with connection.cursor() as cursor:
        cursor.execute(_HOW_MANY, {"start": start, "end": end})
        return int(cursor.fetchone()[0])


def batches(*, start: datetime, end: datetime) -> Iterator[list[tuple[Past, int]]]:
    """Those leads with their person, in the order of their keys.

    Of several handoffs the first that was delivered counts: the question is what became of the lead that
    marketing gave.
    """
    after = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_NEXT, {"after": after, "start": start, "end": end, "limit": BATCH})
            rows = cursor.fetchall()
        if not rows:
            return
        after = rows[-1][0]
        yield [(Past(pk, captured, *rest), person) for pk, person, captured, *rest in rows]
