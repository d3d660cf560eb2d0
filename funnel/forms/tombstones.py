"""Browser input on tombstones: adding one by hand, lifting one, narrowing the list."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_filters import filters
from django_filters.filterset import FilterSet

from funnel.models import Product, Tombstone, TombstoneHit, TombstoneReason, TombstoneReopen, TombstoneScope
from funnel.selectors import tombstones
from smarketing.web.asks import AskForm


class TombstoneForm(AskForm):
    """Somebody who is never delivered again. Person or company may be given by the page it came from."""

    scope = forms.ChoiceField(label=_("Refuses"), choices=TombstoneScope.choices)
    email = forms.CharField(label=_("E-mail"), max_length=320, required=False)
    phone = forms.CharField(label=_("Phone"), max_length=60, required=False)
    domain = forms.CharField(
        label=_("Domain of the company"), max_length=253, required=False, help_text=_("Such as example.com.")
    )
    product = forms.ModelChoiceField(
        Product.objects.order_by("name"), label=_("Product"), required=False, empty_label="–"
    )
    reason = forms.ChoiceField(label=_("Why"), choices=TombstoneReason.choices)
    note = forms.CharField(label=_("Note"), max_length=500, required=False)
    reopen = forms.ChoiceField(label=_("What lets them in again"), choices=TombstoneReopen.choices)
    expires_on = forms.DateField(
        label=_("Until"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("The last day it holds. Empty: for ever."),
    )

    def given(self) -> dict[str, Any]:
        """What the service takes, from a valid form."""
        data = self.cleaned_data
        last = data["expires_on"]
        end = timezone.make_aware(datetime.combine(last, time.max)) if last else None
        return {
            "scope": data["scope"],
            "emails": [data["email"]],
            "phones": [data["phone"]],
            "domain": data["domain"],
            "product": data["product"],
            "reason": data["reason"],
            "note": data["note"],
            "reopen": data["reopen"],
            "expires_at": end,
        }


class LiftForm(AskForm):
    """Why they may be delivered again."""

    reason = forms.CharField(
        label=_("Why they may be delivered again"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("It stays on record."),
    )


class TombstoneFilter(FilterSet):
    """Tombstones by address, number, domain or name, and by what they refuse."""

    q = filters.CharFilter(label=_("Search"), method="by_text", max_length=320)
    scope = filters.MultipleChoiceFilter(label=_("Refuses"), choices=TombstoneScope.choices)
    reason = filters.MultipleChoiceFilter(label=_("Why"), choices=TombstoneReason.choices)
    lifted = filters.BooleanFilter(
        label=_("Lifted"), field_name="lifted_at", lookup_expr="isnull", exclude=True
    )
    blocked = filters.BooleanFilter(label=_("Kept somebody out"), method="by_blocked")

    class Meta:
        model = Tombstone
        fields = ("q", "scope", "reason", "lifted", "blocked")

    def by_text(self, queryset: QuerySet[Tombstone], name: str, value: str) -> QuerySet[Tombstone]:
        """Those about this text."""
        return tombstones.matching(queryset, value)

    def by_blocked(
        self,
        queryset: QuerySet[Tombstone],
        name: str,
        value: bool,  # noqa: FBT001 - django-filter's call
    ) -> QuerySet[Tombstone]:
        """Those that kept somebody from being delivered again, or those that did not."""
        hits = Exists(TombstoneHit.objects.filter(tombstone=OuterRef("pk"), outcome="blocked"))
        return queryset.filter(Q(hits) if value else ~Q(hits))
