"""Products as the settings show them."""

from __future__ import annotations

from django.db.models import Count, Q, QuerySet

from funnel.models import OpportunityStageKind, Product


def listed() -> QuerySet[Product]:
    """All products with the numbers of their open and won deals; what is sold today first."""
    return Product.objects.annotate(
        open_count=Count("opportunities", filter=Q(opportunities__stage__kind=OpportunityStageKind.OPEN)),
        won_count=Count("opportunities", filter=Q(opportunities__stage__kind=OpportunityStageKind.WON)),
    ).order_by("-is_active", "name", "pk")
