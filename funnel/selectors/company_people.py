"""Where the people of a company stand, and who owns what of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q

from funnel.models import LeadState, Opportunity, OpportunityStageKind
from funnel.selectors import lead_list
from leads.models import Company
from smarketing.core.keysets import among
from smarketing.users.models import User


@dataclass(frozen=True, slots=True)
class Owner:
    """A colleague with the open leads and open deals of a company they are responsible for."""

    name: str
    leads: int
    deals: int


def standing(keys: Sequence[int], *, viewer: User, now: datetime) -> dict[int, dict[str, Any]]:
    """The latest lap of each of these persons with its stage, owner and scores; a cell by person."""
    states = LeadState.objects.visible_to(viewer).filter(lead__person__in=among(keys))
    states = states.order_by("lead__person", "-lead__lap").distinct("lead__person")
    return {row.person.pk: {"row": row} for row in lead_list.dressed(list(states), at=now)}


def owners_of(company: Company, *, viewer: User) -> list[Owner]:
    """Who is responsible for what, whoever has most first; two queries."""
    of_lead = Q(lead__company=company) | Q(lead__company=None, lead__person__company=company)
    states = LeadState.objects.visible_to(viewer).filter(of_lead, lead__closed_at__isnull=True)
    deals = Opportunity.objects.visible_to(viewer).filter(
        company=company, stage__kind=OpportunityStageKind.OPEN
    )
    leads: Counter[str] = Counter(_by_owner(states))
    open_deals: Counter[str] = Counter(_by_owner(deals))
    names = sorted(leads.keys() | open_deals.keys(), key=lambda n: (-leads[n] - open_deals[n], n))
    return [Owner(name, leads[name], open_deals[name]) for name in names]


def _by_owner(rows: Any) -> dict[str, int]:
    counted = rows.order_by().values("owner__name").annotate(n=Count("pk"))
    return {row["owner__name"] or "": row["n"] for row in counted}
