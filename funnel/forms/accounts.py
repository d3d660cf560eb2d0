"""What the list of companies by stage is narrowed by."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters import filters
from django_filters.filterset import FilterSet

from funnel.models import AccountState, Stage
from leads.selectors import companies


class AccountFilter(FilterSet):
    """By name, and by where they stand or how far they ever came."""

    q = filters.CharFilter(label=_("Search"), method="by_text", max_length=200)
    stage = filters.ModelMultipleChoiceFilter(
        label=_("Stage"), queryset=Stage.objects.order_by("position", "code")
    )
    high_water = filters.ModelChoiceFilter(
        label=_("Furthest"), queryset=Stage.objects.filter(kind="main").order_by("position")
    )

    class Meta:
        model = AccountState
        fields = ("stage", "high_water")

    def by_text(self, queryset: QuerySet[AccountState], name: str, value: str) -> QuerySet[AccountState]:
        """Names that hold every word."""
        for word in value.split()[: companies.MOST_WORDS]:
            queryset = queryset.filter(company__name__icontains=word)
        return queryset
