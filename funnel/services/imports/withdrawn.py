"""What of the funnel goes along when an import is taken back.

A lead's state, score and the ledger rows of its import go with it. A move, an owner or a handoff of
later keeps the lead: somebody has worked on it.
"""

from __future__ import annotations

from leads.domain.withdrawals import Companion, Record

_IMPORTED = "c.cause = 'imported' AND c.recorded_at = %(at)s"
RECORDS = (Record("funnel_opportunity", 30, carries="opportunity"), Record("funnel_product", 85))
COMPANIONS = (
    Companion("leads_lead", "funnel_stagetransition", "lead_id", _IMPORTED),
    Companion("leads_lead", "funnel_assignment", "lead_id", "c.seq = 1 AND c.reason = 'imported'"),
    Companion("leads_lead", "funnel_leadstate", "lead_id"),
    Companion("leads_lead", "funnel_leadscore", "lead_id"),
    Companion("leads_lead", "funnel_nextscore", "lead_id"),
    Companion("leads_lead", "funnel_fitperiod", "lead_id"),
    Companion("leads_lead", "funnel_interestperiod", "lead_id"),
    Companion("leads_lead", "funnel_likelihood", "lead_id"),
    Companion("leads_person", "funnel_interest", "person_id"),
    Companion("leads_person", "funnel_nextinterest", "person_id"),
    Companion("leads_person", "funnel_signalday", "person_id"),
    Companion("leads_company", "funnel_companyinterest", "company_id"),
    Companion(
        "funnel_opportunity",
        "funnel_opportunitytransition",
        "opportunity_id",
        "c.reason = 'imported' AND c.recorded_at = %(at)s",
    ),
)
