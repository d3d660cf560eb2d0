"""The interest of companies, the sum of their people's, and their stage: kept up by marks and once a day.

Sums decay as their parts do, so the order of companies is the order of keys at any instant.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from funnel.models import AccountState, CompanyInterest, CompanyMark
from funnel.selectors import definitions
from funnel.services import accounts
from smarketing.core import loops
from smarketing.core.keysets import among
from smarketing.core.prepared import Statement

LOOP = "company_scores"
STALE = timedelta(days=1)
_MARK = Statement(
    "companies_mark",
    """
INSERT INTO funnel_companymark (company_id)
SELECT DISTINCT p.company_id
  FROM leads_event e JOIN leads_person p ON p.id = e.person_id
 WHERE e.id = ANY(%(ids)s::text[]::uuid[]) AND e.screened = '' AND p.company_id IS NOT NULL
""",
    by="ids",
)
_MARK_PEOPLE = """
INSERT INTO funnel_companymark (company_id)
SELECT DISTINCT p.company_id
  FROM leads_person p JOIN funnel_interest i ON i.person_id = p.id
 WHERE p.id = ANY(%(people)s::bigint[]) AND p.company_id IS NOT NULL
"""
_MARK_LEADS = """
INSERT INTO funnel_companymark (company_id)
SELECT DISTINCT coalesce(l.company_id, p.company_id)
  FROM leads_lead l
  JOIN leads_person p ON p.id = l.person_id
 WHERE l.id = ANY(%(leads)s::bigint[]) AND coalesce(l.company_id, p.company_id) IS NOT NULL
"""
_MARK_DEALS = """
INSERT INTO funnel_companymark (company_id)
SELECT DISTINCT company_id FROM funnel_opportunity
 WHERE id = ANY(%(deals)s::bigint[]) AND company_id IS NOT NULL
"""
_TAKE = """
DELETE FROM funnel_companymark WHERE id IN (
    SELECT id FROM funnel_companymark ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
RETURNING company_id
"""
_COMPUTE = """
INSERT INTO funnel_companyinterest (company_id, key, people, refreshed_at)
SELECT p.company_id, ln(sum(power(2::float8, i.key))) / ln(2::float8), count(*), %(now)s
  FROM leads_person p
  JOIN funnel_interest i ON i.person_id = p.id AND i.definition_id = %(definition)s AND i.key IS NOT NULL
 WHERE p.company_id = ANY(%(companies)s::bigint[])
 GROUP BY p.company_id
 ORDER BY p.company_id
ON CONFLICT (company_id) DO UPDATE
   SET key = excluded.key, people = excluded.people, refreshed_at = excluded.refreshed_at
RETURNING company_id
"""
_NEW = """
SELECT DISTINCT p.company_id
  FROM leads_person p JOIN funnel_interest i ON i.person_id = p.id
 WHERE p.company_id > %(after)s
 ORDER BY p.company_id LIMIT %(limit)s
"""


@transaction.atomic(savepoint=False)
def mark_events(*, event_ids: Sequence[UUID]) -> int:
    """The companies of whoever did this are computed anew; how many."""
    count = _MARK.count(ids=[str(key) for key in event_ids])
    if count:
        loops.nudge(LOOP)
    return count


@transaction.atomic(savepoint=False)
def mark_people(*, person_ids: Collection[int]) -> None:
    """The companies that these persons belong to now."""
    _mark(_MARK_PEOPLE, people=sorted(person_ids))


@transaction.atomic(savepoint=False)
def mark_leads(*, lead_ids: Collection[int]) -> None:
    """The companies that the persons of these leads belong to now."""
    _mark(_MARK_LEADS, leads=sorted(lead_ids))


@transaction.atomic(savepoint=False)
def mark_deals(*, opportunity_ids: Collection[int]) -> None:
    """The companies of these deals."""
    _mark(_MARK_DEALS, deals=sorted(opportunity_ids))


@transaction.atomic(savepoint=False)
def mark_companies(*, company_ids: Collection[int]) -> None:
    """These companies."""
    CompanyMark.objects.bulk_create(CompanyMark(company_id=pk) for pk in sorted(company_ids))
    loops.nudge(LOOP)


@transaction.atomic
def run_once(*, now: datetime, limit: int) -> int:
    """Compute marked companies, else those that were not computed for a day; how many."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"limit": limit})
        companies = {row[0] for row in cursor.fetchall()}
    if not companies:
        companies = _stale(now=now, limit=limit)
    _compute(companies, now=now)
    accounts.derive(companies=companies, now=now)
    return len(companies)


@transaction.atomic
def rebuild(*, now: datetime) -> int:
    """Compute the interest of every company that has any; how many there were."""
    last, found = 0, 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_NEW, {"after": last, "limit": 2000})
            companies = [row[0] for row in cursor.fetchall()]
        if not companies:
            CompanyInterest.objects.filter(refreshed_at__lt=now).delete()
            return found
        _compute(set(companies), now=now)
        last, found = companies[-1], found + len(companies)


def _stale(*, now: datetime, limit: int) -> set[int]:
    """Companies of which something was not computed for a day."""
    found: set[int] = set()
    for model in (CompanyInterest, AccountState):
        stale = model._default_manager.filter(refreshed_at__lte=now - STALE).order_by("refreshed_at")
        found |= set(stale.select_for_update(skip_locked=True).values_list("pk", flat=True)[:limit])
    return found


def _compute(companies: set[int], *, now: datetime) -> None:
    if not companies:
        return
    version = definitions.in_force()
    with connection.cursor() as cursor:
        cursor.execute(_COMPUTE, {"companies": sorted(companies), "definition": version.pk, "now": now})
        computed = {row[0] for row in cursor.fetchall()}
    # Nobody of the others has interest any more.
    CompanyInterest.objects.filter(company_id__in=among(companies - computed)).delete()


def _mark(statement: str, **keys: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, keys)
        if cursor.rowcount:
            loops.nudge(LOOP)
