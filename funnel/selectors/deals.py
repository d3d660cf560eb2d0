"""Reads of opportunities: of a lead, a person, a company; by text; their ledger."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Q, QuerySet

from funnel.models import Opportunity, OpportunityTransition
from smarketing.users.models import User


def listed(user: User) -> QuerySet[Opportunity]:
    """The deals that ``user`` may see, with what lists show of them."""
    return Opportunity.objects.visible_to(user).select_related(
        "stage", "owner", "company", "person", "product"
    )


def matching(deals: QuerySet[Opportunity], text: str) -> QuerySet[Opportunity]:
    """Deals whose name or company holds every word."""
    for word in text.split()[:8]:
        deals = deals.filter(Q(name__icontains=word) | Q(company__name__icontains=word))
    return deals


def found(user: User, text: str, *, limit: int) -> list[Opportunity]:
    """The first deals that ``text`` matches, the latest moved first."""
    return list(matching(listed(user), text).order_by("-stage_entered_at", "-pk")[:limit])


def of_lead(user: User, lead_id: int) -> list[Opportunity]:
    """The deals of a lead, newest first."""
    return list(listed(user).filter(lead=lead_id).order_by("-pk"))


def of_person(user: User, person_id: int, *, limit: int = 50) -> list[Opportunity]:
    """The deals of a person, newest first."""
    return list(listed(user).filter(person=person_id).order_by("-pk")[:limit])


def of_company(user: User, company_id: int, *, limit: int = 50) -> list[Opportunity]:
    """The deals with a company, newest first."""
    return list(listed(user).filter(company=company_id).order_by("-pk")[:limit])


def ledger(opportunity: Opportunity) -> list[OpportunityTransition]:
    """Every move of a deal, newest first."""
    rows = OpportunityTransition.objects.filter(opportunity=opportunity)
    return list(rows.select_related("from_stage", "to_stage", "actor").order_by("-seq"))


def exported(found: QuerySet[Opportunity]) -> Iterator[Opportunity]:
    """All of ``found``, the latest moved first, through a server-side cursor."""
    return found.order_by("-stage_entered_at", "-pk").iterator(chunk_size=2000)
