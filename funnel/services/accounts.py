"""The one writer of where companies stand: marks say which, and the journey is derived anew.

It has no loop of its own: that of the companies' interest (``company_scores``) takes the marks for both.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from funnel.domain import accounts as rules
from funnel.models import AccountState
from funnel.selectors import accounts, stages
from smarketing.core.keysets import among
from smarketing.core.prepared import Statement

_WRITE = Statement(
    "accounts_write",
    """
INSERT INTO funnel_accountstate (company_id, stage_id, high_water_id, entered_at, refreshed_at)
SELECT n.company, n.stage, n.high, n.entered, %(now)s::timestamptz
  FROM unnest(%(companies)s::bigint[], %(stages)s::bigint[], %(highs)s::bigint[],
              %(entered)s::timestamptz[]) AS n(company, stage, high, entered)
  JOIN leads_company c ON c.id = n.company AND c.merged_into_id IS NULL
 ORDER BY n.company
ON CONFLICT (company_id) DO UPDATE SET stage_id = excluded.stage_id, high_water_id = excluded.high_water_id,
   entered_at = excluded.entered_at, refreshed_at = excluded.refreshed_at
RETURNING company_id
""",
    by="companies",
)


def derive(*, companies: Collection[int], now: datetime) -> None:
    """Write where these companies stand; one without laps and deals stands nowhere. In a transaction."""
    if not companies:
        return
    known, ladder = stages.road()
    found = {pk: steps for pk, steps in accounts.journeys(companies).items() if steps}
    ordered = sorted(found)
    written = _WRITE.rows(
        companies=ordered,
        stages=[known[found[pk][-1].to_stage].pk for pk in ordered],
        highs=[known[rules.high_water(found[pk], ladder)].pk for pk in ordered],
        entered=[found[pk][-1].at for pk in ordered],
        now=now,
    )
    gone = set(companies) - {row[0] for row in written}
    AccountState.objects.filter(company_id__in=among(gone)).delete()
