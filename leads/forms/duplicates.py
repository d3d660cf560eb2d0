"""What the list of duplicates is narrowed by."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters import filters
from django_filters.filterset import FilterSet

from leads.models import Duplicate, DuplicateBand, DuplicateKind, DuplicateState
from leads.selectors import duplicates
from smarketing.web.rest.fields import MOST_ID


class DuplicateFilter(FilterSet):
    """Pairs by words, kind, certainty and what was decided."""

    q = filters.CharFilter(label=_("Search"), method="by_text", max_length=200)
    kind = filters.ChoiceFilter(label=_("What"), choices=DuplicateKind.choices)
    band = filters.ChoiceFilter(label=_("How sure"), choices=DuplicateBand.choices)
    state = filters.ChoiceFilter(label=_("State"), choices=DuplicateState.choices)

    class Meta:
        model = Duplicate
        fields = ("q", "kind", "band", "state")

    def by_text(self, queryset: QuerySet[Duplicate], name: str, value: str) -> QuerySet[Duplicate]:
        """Pairs of which one record holds every word."""
        return duplicates.matching(queryset, value)


class DuplicateResourceFilter(DuplicateFilter):
    """The filters of the page, and one record."""

    person = filters.NumberFilter(method="by_person", min_value=1, max_value=MOST_ID)
    company = filters.NumberFilter(method="by_company", min_value=1, max_value=MOST_ID)

    def by_person(self, queryset: QuerySet[Duplicate], name: str, value: int) -> QuerySet[Duplicate]:
        """Pairs of one person."""
        return queryset.filter(Q(left=value) | Q(right=value))

    def by_company(self, queryset: QuerySet[Duplicate], name: str, value: int) -> QuerySet[Duplicate]:
        """Pairs of one company."""
        return queryset.filter(Q(left_company=value) | Q(right_company=value))
