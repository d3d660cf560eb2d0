"""What everybody was given through the rings, what was due to them, and where the difference comes from.

Of each lead, a candidate is due their weight by the weights of all candidates. From there to what they
got there are exact steps, summed over the leads: what is lost while something speaks against them, what
is gained while something speaks against others, leads that go to whoever works with the company, and
what is left to the order of the ring (less than a turn, unless weights changed).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import Count, F, Q, QuerySet, Sum

from funnel.models import Pool, RoutingDecision
from smarketing.core.periods import Period
from smarketing.users.models import User

# What is lost is told under the first reason; these are told together.
LOST = {
    "inactive": "away", "absent": "away", "out_of_hours": "hours", "open_cap": "limits",
    "capacity": "limits", "ceiling": "ceiling", "returned_before": "lead", "conflicted": "lead",
    "skills": "skills",
}  # fmt: skip
STEPS = ("away", "hours", "limits", "ceiling", "skills", "lead", "gained", "accounts", "order")

_DUE = """
WITH c AS (
  SELECT d.id, d.pool_id AS pool, d.reason, (e->>'key')::bigint AS member, (e->>'weight')::float8 AS w,
         e->'blocked'->>0 AS blocked, (e->>'chosen')::boolean AS chosen
    FROM funnel_routingdecision d CROSS JOIN LATERAL jsonb_array_elements(d.candidates) e
   WHERE d.pool_id IS NOT NULL AND d.at >= %(start)s AND d.at < %(end)s
     AND (%(source)s::bigint IS NULL
          OR EXISTS (SELECT FROM leads_lead l WHERE l.id = d.lead_id AND l.source_id = %(source)s))),
s AS (SELECT id, sum(w) AS whole, sum(w) FILTER (WHERE blocked IS NULL) AS free FROM c GROUP BY id)
SELECT c.pool, c.member, c.blocked,
       count(*) FILTER (WHERE c.chosen),
       sum(c.w / s.whole),
       coalesce(sum(c.w / s.free - c.w / s.whole) FILTER (WHERE c.blocked IS NULL), 0),
       coalesce(sum(c.chosen::int - c.w / s.free)
                FILTER (WHERE c.reason = 'company_owner' AND c.blocked IS NULL), 0)
  FROM c JOIN s USING (id)
 GROUP BY 1, 2, 3
"""


@dataclass(slots=True)
class Standing:
    """One owner in one pool. ``steps`` sum to ``given`` − ``due``."""

    owner_id: int
    name: str = ""
    given: int = 0
    due: float = 0.0
    credited: int = 0
    bands: dict[str, int] = field(default_factory=dict)
    likelihood: float = 0.0
    steps: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STEPS, 0.0))


@dataclass(frozen=True, slots=True)
class PoolStanding:
    """All owners of one pool. ``unknown`` leads had no likelihood when they were given."""

    pool: Pool
    owners: list[Standing]
    unknown: int

    @property
    def given(self) -> int:
        """All leads."""
        return sum(owner.given for owner in self.owners)

    @property
    def is_valued(self) -> bool:
        """Whether any lead's likelihood was known when it was given."""
        return self.unknown < self.given

    @property
    def bands(self) -> dict[str, int]:
        """How many leads of each band the pool gave away."""
        total: dict[str, int] = {}
        for owner in self.owners:
            for band, count in owner.bands.items():
                total[band] = total.get(band, 0) + count
        return total


def standings(period: Period, *, source_id: int | None = None) -> list[PoolStanding]:
    """Every pool that gave leads away in the ``period``, which has both ends; a fixed number of queries."""
    found = _due(period, source_id)
    unknown: dict[int, int] = {}
    for row in _given(period, source_id):
        standing = found.setdefault((row["pool"], row["owner"]), Standing(row["owner"]))
        standing.bands[row["band"] or "–"] = row["given"]
        standing.credited += row["credited"]
        standing.likelihood += row["likelihood"] or 0.0
        unknown[row["pool"]] = unknown.get(row["pool"], 0) + row["given"] - row["known"]
    names = dict(User.objects.filter(pk__in={key[1] for key in found}).values_list("pk", "name"))
    pools = Pool.objects.in_bulk({key[0] for key in found})
    for standing in found.values():
        standing.name = names.get(standing.owner_id, "")
        told = sum(standing.steps.values())
        standing.steps["order"] = standing.given - standing.due - told
    return [
        PoolStanding(
            pool,
            sorted((s for key, s in found.items() if key[0] == pk), key=lambda s: (s.name, s.owner_id)),
            unknown.get(pk, 0),
        )
        for pk, pool in sorted(pools.items(), key=lambda item: (not item[1].is_default, item[1].name))
    ]


def outside_the_rings(period: Period, *, source_id: int | None = None) -> int:
    """How many leads came to somebody in another way: chosen by hand, or theirs already."""
    return made(period, source_id=source_id).filter(pool=None).count()


def made(period: Period, *, source_id: int | None = None) -> QuerySet[RoutingDecision]:
    """The choices of a period, which has both ends."""
    found = RoutingDecision.objects.filter(at__gte=period.start, at__lt=period.end)
    return found if source_id is None else found.filter(lead__source=source_id)


def _due(period: Period, source_id: int | None) -> dict[tuple[int, int], Standing]:
    found: dict[tuple[int, int], Standing] = {}
    with connection.cursor() as cursor:
        cursor.execute(_DUE, {"start": period.start, "end": period.end, "source": source_id})
        for pool, member, blocked, given, due, gained, accounts in cursor.fetchall():
            standing = found.setdefault((pool, member), Standing(member))
            standing.given += given
            standing.due += due
            standing.steps["gained"] += gained
            standing.steps["accounts"] += accounts
            if blocked is not None:
                standing.steps[LOST.get(blocked, "lead")] -= due
    return found


def _given(period: Period, source_id: int | None) -> list[dict[str, Any]]:
    rows = (
        made(period, source_id=source_id)
        .filter(pool__isnull=False)
        .values("pool", "owner", "band")
        .annotate(
            given=Count("pk"),
            credited=Count("credited_at"),
            known=Count("likelihood"),
            likelihood=Sum(F("likelihood"), filter=Q(likelihood__isnull=False)),
        )
        .order_by()
    )
    found: list[Any] = list(rows)
    return found
