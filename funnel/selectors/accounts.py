"""The journeys of companies: derived from the moves of laps and deals, at any time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from funnel.domain import accounts as rules
from funnel.domain.accounts import AccountStep, Arrival
from funnel.models import AccountState, Opportunity, Stage
from funnel.selectors import stages
from leads.models import Company, Lead
from smarketing.core.prepared import Statement
from smarketing.users.models import User

# A lap belongs to its own company, else to the person's. A deal that was never opened counts from its entry.
_ARRIVALS = Statement(
    "account_arrivals",
    """
WITH laps AS (
    SELECT l.company_id AS company, l.id FROM leads_lead l
     WHERE l.company_id = ANY(%(companies)s::bigint[])
    UNION ALL
    SELECT p.company_id, l.id FROM leads_person p JOIN leads_lead l ON l.person_id = p.id
     WHERE p.company_id = ANY(%(companies)s::bigint[]) AND l.company_id IS NULL
)
SELECT laps.company, t.effective_at, 'lead', t.lead_id, t.seq, s.code
  FROM laps
  JOIN funnel_stagetransition t ON t.lead_id = laps.id AND NOT t.is_implied
  JOIN funnel_stage s ON s.id = t.to_stage_id
UNION ALL
SELECT o.company_id, coalesce(o.opened_at, o.created_at), 'deal', o.id, 1, 'opportunity'
  FROM funnel_opportunity o WHERE o.company_id = ANY(%(companies)s::bigint[])
UNION ALL
SELECT o.company_id, o.closed_at, 'deal', o.id, 2, CASE s.kind WHEN 'won' THEN 'customer' ELSE 'lost' END
  FROM funnel_opportunity o JOIN funnel_opportunitystage s ON s.id = o.stage_id
 WHERE o.company_id = ANY(%(companies)s::bigint[]) AND o.closed_at IS NOT NULL
""",
    by="companies",
)


@dataclass(frozen=True, slots=True)
class Told:
    """One step as it is shown: the stages, and whose lap or which deal it was."""

    at: datetime
    from_stage: Stage | None
    to_stage: Stage
    lead: Lead | None
    deal: Opportunity | None


def journeys(company_ids: Collection[int]) -> dict[int, list[AccountStep]]:
    """The steps of these companies, oldest first; a company without laps and deals has none."""
    arrivals: dict[int, list[Arrival]] = defaultdict(list)
    for company, at, kind, key, seq, stage in _ARRIVALS.rows(companies=sorted(company_ids)):
        arrivals[company].append(Arrival(at, kind, key, seq, stage))
    ladder = stages.road().ladder
    return {company: rules.journey(found, ladder) for company, found in arrivals.items()}


def journey(company: Company) -> list[Told]:
    """The steps of one company, the latest first."""
    steps = journeys([company.pk]).get(company.pk, [])
    known = stages.road().known
    leads = Lead.objects.select_related("person").in_bulk(_reasons(steps, "lead"))
    deals = Opportunity.objects.in_bulk(_reasons(steps, "deal"))
    return [
        Told(
            at=step.at,
            from_stage=known[step.from_stage] if step.from_stage else None,
            to_stage=known[step.to_stage],
            lead=leads.get(step.because[1]) if step.because[0] == "lead" else None,
            deal=deals.get(step.because[1]) if step.because[0] == "deal" else None,
        )
        for step in reversed(steps)
    ]


def listed(user: User) -> QuerySet[AccountState]:
    """Companies with where they stand."""
    return AccountState.objects.visible_to(user).select_related("company", "stage", "high_water")


def _reasons(steps: Collection[AccountStep], kind: str) -> set[int]:
    return {step.because[1] for step in steps if step.because[0] == kind}
