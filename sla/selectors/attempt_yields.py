"""What each further attempt to reach a lead has brought: tried and reached, attempt by attempt.

A lead is reached at attempt k when that attempt was a conversation, got a reply or a held meeting, or
when the person got in touch before the next attempt. An attempt that was the last and is young may still
be answered: it is pending, neither a success nor a failure.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from sla.domain.stop_rule import Step
from sla.selectors.depth import CHANNELS, CONTACTS, MARKETING
from smarketing.core.periods import Period

ANSWERED_WITHIN = timedelta(days=5)
MATURES_AFTER = timedelta(days=90)
LOOKS_BACK = timedelta(days=365)
MOST = 15

_COHORT = """
WITH cohort AS (
  SELECT h.id, h.lead_id, l.person_id, h.delivered_at
    FROM funnel_handoff h JOIN leads_lead l ON l.id = h.lead_id
   WHERE h.delivered_at >= coalesce(%(start)s::timestamptz, '-infinity')
     AND h.delivered_at < coalesce(%(end)s::timestamptz, 'infinity')
     AND (%(source)s::bigint IS NULL OR l.source_id = %(source)s)
), touch AS (
  SELECT c.id, c.lead_id, a.occurred_at,
         (a.direction = 'inbound' OR a.outcome = ANY (%(contacts)s)) AS is_contact,
         count(*) FILTER (WHERE a.direction = 'outbound' AND a.actor_id IS NOT NULL)
           OVER (PARTITION BY c.id ORDER BY a.occurred_at, a.id) AS k
    FROM cohort c
    JOIN leads_activity a ON a.person_id = c.person_id AND a.occurred_at >= c.delivered_at
     AND (a.lead_id = c.lead_id OR a.lead_id IS NULL)
    LEFT JOIN users_user u ON u.id = a.actor_id
   WHERE a.kind = ANY (%(channels)s) AND NOT a.is_automated AND a.occurred_at <= %(now)s
     AND (a.actor_id IS NULL OR u.role <> ALL (%(marketing)s))
), story AS (
  SELECT id, lead_id, max(k) AS made, min(k) FILTER (WHERE is_contact) AS reached_at,
         max(occurred_at) AS last_at
    FROM touch GROUP BY id, lead_id
)
"""
_STEPS = """
SELECT k,
       count(*) FILTER (WHERE NOT is_pending),
       count(*) FILTER (WHERE reached_at = k),
       count(*) FILTER (WHERE is_pending)
  FROM (SELECT g.k, s.reached_at,
               (s.reached_at IS NULL AND s.made = g.k AND s.last_at > %(young)s) AS is_pending
          FROM story s CROSS JOIN generate_series(1, %(most)s) AS g (k)
         WHERE s.made >= g.k AND (s.reached_at IS NULL OR s.reached_at >= g.k)) x
 GROUP BY k ORDER BY k
"""
_WORTH = """
SELECT count(DISTINCT s.lead_id),
       count(DISTINCT s.lead_id) FILTER (WHERE o.id IS NOT NULL),
       coalesce(sum(o.amount), 0), count(o.amount)
  FROM (SELECT DISTINCT lead_id FROM story WHERE reached_at >= 1) s
  LEFT JOIN (SELECT o.id, o.lead_id, o.amount
               FROM funnel_opportunity o JOIN funnel_opportunitystage t ON t.id = o.stage_id
              WHERE t.kind = 'won' AND o.currency = %(currency)s) o ON o.lead_id = s.lead_id
"""


@dataclass(frozen=True, slots=True)
class Worth:
    """Of ``reached`` leads, delivered long enough ago, ``customers`` bought for ``revenue`` in ``deals``."""

    reached: int
    customers: int
    revenue: Decimal
    deals: int

    @property
    def of_customer(self) -> Decimal | None:
        """What a won deal brought on average; ``None`` without any."""
        return self.revenue / self.deals if self.deals else None

    @property
    def of_reached(self) -> float | None:
        """What a reached lead brought on average; ``None`` while that can't be told."""
        if not self.reached or self.of_customer is None:
            return None
        return float(self.of_customer) * self.customers / self.reached


def steps(period: Period, *, now: datetime, source_id: int | None = None) -> list[Step]:
    """Attempt by attempt, for the leads delivered in the period."""
    with connection.cursor() as cursor:
        cursor.execute(
            "".join((_COHORT, _STEPS)),
            {
                **_given(period.start, period.end, source_id, now),
                "young": now - ANSWERED_WITHIN,
                "most": MOST,
            },
        )
        return [Step(*row) for row in cursor.fetchall()]


def worth(*, now: datetime, currency: str, source_id: int | None = None) -> Worth:
    """What reached leads brought that were delivered in the year up to ninety days ago."""
    end = now - MATURES_AFTER
    with connection.cursor() as cursor:
        cursor.execute(
            "".join((_COHORT, _WORTH)),
            {**_given(end - LOOKS_BACK, end, source_id, now), "currency": currency},
        )
        return Worth(*cursor.fetchone())


def _given(
    start: datetime | None, end: datetime | None, source_id: int | None, now: datetime
) -> dict[str, Any]:
    return {
        "start": start,
        "end": end,
        "source": source_id,
        "now": now,
        "channels": [channel.value for channel in CHANNELS],
        "contacts": [outcome.value for outcome in CONTACTS],
        "marketing": [role.value for role in MARKETING],
    }
