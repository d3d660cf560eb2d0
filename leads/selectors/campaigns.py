"""Looking up campaigns."""

from __future__ import annotations

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from leads.models import Campaign, Lead
from smarketing.users.models import User


def listed(user: User) -> QuerySet[Campaign]:
    """Campaigns with the number of leads each brought, counted for the shown rows only."""
    brought = Lead.objects.filter(campaign=OuterRef("pk")).order_by().values("campaign")
    counted = brought.annotate(n=Count("pk")).values("n")
    return (
        Campaign.objects.visible_to(user)
        .select_related("channel", "owner")
        .annotate(lead_count=Coalesce(Subquery(counted, output_field=IntegerField()), 0))
    )


def matching(queryset: QuerySet[Campaign], text: str) -> QuerySet[Campaign]:
    """Those whose name holds every word of ``text``."""
    for word in text.split()[:8]:
        queryset = queryset.filter(name__icontains=word)
    return queryset
