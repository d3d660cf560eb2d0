"""Leads whose score rests on what became of others: marked where it happens, scored anew by a loop.

Scoring locks interest before the states of leads; who moves a deal holds a state already and must not.
"""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction

from funnel.models import Opportunity
from funnel.selectors import definitions
from funnel.services import scoring
from smarketing.core import loops

LOOP = "score_marks"
_MARK = """
INSERT INTO funnel_scoremark (lead_id)
SELECT l.id FROM leads_lead l JOIN leads_person p ON p.id = l.person_id
 WHERE l.closed_at IS NULL AND l.id IS DISTINCT FROM %(lead)s
   AND (l.person_id = %(person)s OR l.company_id = %(company)s
        OR l.company_id IS NULL AND p.company_id = %(company)s)
"""
_TAKE = """
DELETE FROM funnel_scoremark WHERE id IN (
    SELECT id FROM funnel_scoremark ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
RETURNING lead_id
"""


@transaction.atomic(savepoint=False)
def mark_customers(*, opportunity_id: int) -> int:
    """A deal was won, or is no longer: the other open leads of its person and company; how many.

    Only where the definition in force, or the one that waits, asks whether somebody is a customer.
    """
    versions = [definitions.in_force(), definitions.waiting()]
    rules = [definitions.rules_of(version) for version in versions if version is not None]
    if not any(each.asks("person.is_customer", "company.is_customer") for each in rules):
        return 0
    deal = Opportunity.objects.select_related("lead").get(pk=opportunity_id)
    lead = deal.lead
    given = {
        "lead": deal.lead_id,
        "person": deal.person_id or (lead.person_id if lead else None),
        "company": deal.company_id or (lead.company_id if lead else None),
    }
    with connection.cursor() as cursor:
        cursor.execute(_MARK, given)
        marked = int(cursor.rowcount)
    if marked:
        loops.nudge(LOOP)
    return marked


@transaction.atomic
def run_once(*, now: datetime, limit: int) -> int:
    """Score marked leads anew; how many marks there were."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"limit": limit})
        marks = [row[0] for row in cursor.fetchall()]
    if marks:
        scoring.refresh(lead_ids=sorted(set(marks)), now=now)
    return len(marks)
