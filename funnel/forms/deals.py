"""Browser input on opportunities."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters import filters
from django_filters.filterset import FilterSet

from funnel.models import LostReason, Opportunity, OpportunityStage, OpportunityStageKind, Product
from funnel.selectors import deals
from smarketing.users.models import User


class OpportunityForm(forms.Form):
    """A deal: what, how much, whose, until when."""

    name = forms.CharField(label=_("Name"), max_length=300)
    product = forms.ModelChoiceField(
        Product.objects.filter(is_active=True), label=_("Product"), required=False, empty_label="–"
    )
    amount = forms.DecimalField(
        label=_("Amount"), required=False, min_value=0, max_digits=18, decimal_places=2
    )
    currency = forms.CharField(label=_("Currency"), max_length=3)
    owner = forms.ModelChoiceField(User.objects.owners(), label=_("Owner"), empty_label=None)
    expected_close_on = forms.DateField(
        label=_("Expected to close"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    version = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)

    def keep(self, deal: Opportunity) -> OpportunityForm:
        """Allow the owner and product that the deal has, although others could not choose them now."""
        owner, product = self.fields["owner"], self.fields["product"]
        if isinstance(owner, forms.ModelChoiceField):
            owner.queryset = User.objects.owners() | User.objects.get_queryset().filter(pk=deal.owner_id or 0)
        if isinstance(product, forms.ModelChoiceField):
            product.queryset = Product.objects.filter(is_active=True) | Product.objects.filter(
                pk=deal.product_id or 0
            )
        return self

    def changes(self) -> dict[str, Any]:
        """What the service takes."""
        return {name: value for name, value in self.cleaned_data.items() if name != "version"}


class MoveDealForm(forms.Form):
    """The column a card was moved to, and the version that was on the screen."""

    to = forms.SlugField(max_length=40)
    version = forms.IntegerField(required=False, min_value=1)


class LostForm(forms.Form):
    """Why a deal was lost."""

    to = forms.SlugField(max_length=40, widget=forms.HiddenInput)
    version = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)
    lost_reason = forms.ChoiceField(
        label=_("Why was it lost?"),
        choices=LostReason.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose why it was lost: the next deals learn from it.")},
    )
    competitor = forms.CharField(
        label=_("Competitor"), required=False, max_length=200, help_text=_("Who got it, if anybody did.")
    )
    lost_note = forms.CharField(
        label=_("What happened?"), required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 2})
    )


class DealFilter(FilterSet):
    """Opportunities by text, stage, owner, product, amount and time."""

    q = filters.CharFilter(label=_("Search"), method="by_text", max_length=200)
    kind = filters.MultipleChoiceFilter(
        label=_("State"),
        field_name="stage__kind",
        choices=OpportunityStageKind.choices,
        widget=forms.CheckboxSelectMultiple(),
    )
    stage = filters.ModelChoiceFilter(
        label=_("Stage"),
        queryset=OpportunityStage.objects.order_by("position", "code"),
        to_field_name="code",
    )
    owner = filters.ModelChoiceFilter(
        label=_("Owner"), queryset=User.objects.get_queryset(), null_label=_("Nobody"), null_value="nobody"
    )
    product = filters.ModelChoiceFilter(label=_("Product"), queryset=Product.objects.order_by("name"))
    lost_reason = filters.MultipleChoiceFilter(
        label=_("Why lost"), choices=LostReason.choices, widget=forms.CheckboxSelectMultiple()
    )
    amount = filters.RangeFilter(label=_("Amount"))
    closed = filters.DateFromToRangeFilter(
        label=_("Closed"),
        field_name="closed_at",
        widget=filters.DateFromToRangeFilter.field_class.widget(attrs={"type": "date"}),
    )

    class Meta:
        model = Opportunity
        fields: tuple[str, ...] = ()

    def by_text(self, queryset: QuerySet[Opportunity], name: str, value: str) -> QuerySet[Opportunity]:
        """Names and companies that hold every word."""
        return deals.matching(queryset, value)
