"""What the lists of the hottest are narrowed by."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters import filters
from django_filters.filterset import FilterSet

from funnel.models import CompanyInterest, Interest
from smarketing.users.models import User


class HotFilter(FilterSet):
    """By text, and by the owner of the present lap."""

    q = filters.CharFilter(label=_("Search"), method="by_text", max_length=200)
    owner = filters.ModelChoiceFilter(
        label=_("Owner"), queryset=User.objects.get_queryset(), method="by_owner"
    )

    class Meta:
        model = Interest
        fields: tuple[str, ...] = ()

    def by_text(self, queryset: QuerySet[Interest], name: str, value: str) -> QuerySet[Interest]:
        """Names, e-mail addresses and companies that hold every word."""
        for word in value.lower().split()[:8]:
            queryset = queryset.filter(person__search_text__contains=word)
        return queryset

    def by_owner(self, queryset: QuerySet[Interest], name: str, value: User) -> QuerySet[Interest]:
        """Those whose open lap is this colleague's; there is at most one."""
        return queryset.filter(person__leads__closed_at=None, person__leads__state__owner=value)


class HotCompanyFilter(FilterSet):
    """By name."""

    q = filters.CharFilter(
        label=_("Search"), field_name="company__name", lookup_expr="icontains", max_length=200
    )

    class Meta:
        model = CompanyInterest
        fields: tuple[str, ...] = ()
