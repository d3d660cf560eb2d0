"""Looking up deals."""

from __future__ import annotations

from django.db.models import QuerySet

from funnel.models import Opportunity
from smarketing.users.models import User


def listed(user: User) -> QuerySet[Opportunity]:
    """Deals that ``user`` may see, with what a list shows of each."""
    return Opportunity.objects.visible_to(user).select_related(
        "stage", "owner", "product", "person", "company", "source"
    )


def matching(queryset: QuerySet[Opportunity], text: str) -> QuerySet[Opportunity]:
    """Those whose name holds every word of ``text``."""
    for word in text.split()[:8]:
        queryset = queryset.filter(name__icontains=word)
    return queryset
