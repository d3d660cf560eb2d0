"""Who is hottest now, who came back after cooling, and which companies: walks along indexes, no sums.

Points at an instant come from the key by one power, in the statement that reads the page.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.db.models import Count, F, FloatField, Max, OuterRef, Prefetch, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Power

from funnel.models import CompanyInterest, Interest, LeadScore
from funnel.selectors import definitions
from leads.models import Company, Lead
from smarketing.core.prepared import Statement
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User

_TOP = """
SELECT i.person_id, btrim(p.first_name || ' ' || p.last_name), coalesce(c.name, ''), l.id, i.key
  FROM funnel_interest i
  JOIN leads_person p ON p.id = i.person_id AND p.merged_into_id IS NULL
  LEFT JOIN leads_company c ON c.id = p.company_id
  LEFT JOIN leads_lead l ON l.person_id = p.id AND l.closed_at IS NULL
 WHERE i.key IS NOT NULL
 ORDER BY i.key DESC NULLS LAST, i.person_id
"""
RECENT = timedelta(days=30)
PEOPLE = 10


@dataclass(frozen=True, slots=True)
class Part:
    """One person's share of the interest of their company."""

    interest: Interest
    points: float


@dataclass(frozen=True, slots=True)
class CompanyScore:
    """A company's interest with the people who make it, warmest first, and the best fit of its open leads.

    ``points`` is the sum of ``parts`` and ``rest``.
    """

    points: float
    people: int
    parts: list[Part]
    rest: float
    best_fit: float | None


@dataclass(frozen=True, slots=True)
class Warm:
    """One of the hottest people, with their company and open lead (if any), and their points."""

    person_id: int
    name: str
    company: str
    lead_id: int | None
    points: float


def top(user: User, *, at: datetime, limit: int) -> list[Warm]:
    """The ``limit`` people who show most interest at ``at``, hottest first: one walk along the index."""
    if not user.may(Capability.VIEW):
        return []
    decay = definitions.decay_of(definitions.in_force())
    return [
        Warm(person, name, company, lead, decay.score_of_key(key, at))
        for person, name, company, lead, key in _top(limit).rows()
    ]


def hottest(user: User, *, at: datetime) -> QuerySet[Interest]:
    """People whose interest is in a band at ``at``; ordered by ``-key`` it is ``interest_hottest``."""
    version = definitions.in_force()
    rules, decay = definitions.rules_of(version), definitions.decay_of(version)
    lowest = min((points for points in rules.interest_bands.values() if points > 0), default=None)
    rows = _people(user, at=at)
    return rows.filter(key__gte=decay.key_at(lowest, at)) if lowest else rows.filter(key__isnull=False)


def reheated(user: User, *, at: datetime) -> QuerySet[Interest]:
    """Of those the ones who came back lately after they had cooled; by ``interest_reheated``."""
    return hottest(user, at=at).filter(reheated_at__gte=at - RECENT, reheated_at__lte=at)


def told(user: User, *, at: datetime) -> QuerySet[Interest]:
    """Everybody's interest, for programs."""
    return _people(user, at=at).filter(key__isnull=False)


def companies(user: User, *, at: datetime) -> QuerySet[CompanyInterest]:
    """Companies by the interest of their people; ordered by ``-key`` it is ``company_hottest``."""
    if not user.may(Capability.VIEW):
        return CompanyInterest.objects.none()
    open_leads = LeadScore.objects.filter(lead__company=OuterRef("company"), lead__closed_at=None)
    best = open_leads.order_by().values("lead__company").annotate(best=Max("fit")).values("best")
    rows = CompanyInterest.objects.filter(company__merged_into=None).select_related("company")
    return rows.annotate(points=_points(at), best_fit=Subquery(best))


def of_company(user: User, company: Company, *, at: datetime) -> CompanyScore | None:
    """What makes the interest of ``company``: from its people as they are now, not from what is stored."""
    people: Any = _people(user, at=at).filter(person__company=company, key__isnull=False)
    count = people.aggregate(n=Count("pk"))["n"]
    if not count:
        return None
    top = list(people.order_by("-key", "pk")[:PEOPLE])
    parts = [Part(row, row.points) for row in top]
    rest = people.exclude(pk__in=[row.pk for row in top]).order_by()
    others = sum(rest.values_list("points", flat=True)) if count > PEOPLE else 0.0
    open_leads = LeadScore.objects.filter(
        Q(lead__company=company) | Q(lead__company=None, lead__person__company=company), lead__closed_at=None
    )
    best = open_leads.aggregate(best=Max("fit"))["best"]
    return CompanyScore(sum(part.points for part in parts) + others, count, parts, others, best)


@cache
def _top(limit: int) -> Statement:
    """With its limit written out: a plan for any number of rows would read and sort them all."""
    return Statement(f"hottest_{limit}", f"{_TOP} LIMIT {limit}")


def _people(user: User, *, at: datetime) -> QuerySet[Interest]:
    """Interest with points at ``at``, the person, and their laps with where those stand, latest first."""
    if not user.may(Capability.VIEW):
        return Interest.objects.none()
    laps = Lead.objects.select_related("state__stage", "state__owner", "score").order_by("person", "-lap")
    return (
        Interest.objects.filter(person__merged_into=None)
        .select_related("person__company")
        .annotate(points=_points(at))
        .prefetch_related(Prefetch("person__leads", queryset=laps, to_attr="laps"))
    )


def _points(at: datetime) -> Coalesce:
    """2^(key − exponent): the score at ``at``."""
    exponent = definitions.decay_of(definitions.in_force()).exponent(at)
    power = Power(Value(2.0), F("key") - Value(exponent), output_field=FloatField())
    return Coalesce(power, Value(0.0), output_field=FloatField())
