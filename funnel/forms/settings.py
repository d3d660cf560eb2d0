"""Browser input of the settings: columns of the board, places in pools, products."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from funnel.models import OpportunityStage, PoolMember, Product


class ColumnForm(forms.Form):
    """A column of the opportunities board."""

    name = forms.CharField(label=_("Name"), max_length=80)
    rotting_days = forms.IntegerField(
        label=_("Too long after (days)"),
        required=False,
        min_value=1,
        max_value=3650,
        help_text=_("A deal that stands longer is marked on the board."),
    )

    @staticmethod
    def filled(column: OpportunityStage) -> ColumnForm:
        """The form with what the column says."""
        return ColumnForm(initial={"name": column.name, "rotting_days": column.rotting_days})


class PlaceForm(forms.Form):
    """A rep's place in a pool."""

    weight = forms.IntegerField(
        label=_("Weight"), min_value=1, max_value=20, help_text=_("2 gets twice as many leads as 1.")
    )
    open_cap = forms.IntegerField(
        label=_("At most open leads"), required=False, min_value=1, help_text=_("Empty: no limit.")
    )
    capacity = forms.IntegerField(
        label=_("Leads in 30 days"),
        required=False,
        min_value=1,
        max_value=10_000,
        help_text=_("Empty: no limit. They come evenly; what a quiet week left can be made up for."),
    )
    skills = forms.CharField(
        label=_("Skills"),
        required=False,
        max_length=1000,
        help_text=_("Languages, products, territories: a comma between. Rules may ask for them."),
    )
    takes_leads = forms.BooleanField(label=_("Takes leads"), required=False)

    def clean_skills(self) -> list[str]:
        """The words between the commas."""
        return [part.strip() for part in self.cleaned_data["skills"].split(",") if part.strip()]

    @staticmethod
    def filled(place: PoolMember | None) -> PlaceForm:
        """The form with the place as it is; a newcomer takes leads with weight 1."""
        if place is None:
            return PlaceForm(initial={"weight": 1, "takes_leads": True})
        return PlaceForm(
            initial={
                "weight": place.weight,
                "open_cap": place.open_cap,
                "capacity": place.capacity,
                "skills": ", ".join(place.skills),
                "takes_leads": place.is_active,
            }
        )


class ProductForm(forms.Form):
    """Something that is sold."""

    name = forms.CharField(label=_("Name"), max_length=200)
    series = forms.CharField(label=_("Series"), max_length=120, required=False)
    list_price = forms.DecimalField(
        label=_("List price"), required=False, min_value=0, max_digits=18, decimal_places=2
    )
    currency = forms.CharField(label=_("Currency"), required=False, max_length=3)


class ProductEditForm(ProductForm):
    """A product that is known already."""

    is_active = forms.BooleanField(label=_("Sold today"), required=False)
    version = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)

    @staticmethod
    def filled(product: Product) -> ProductEditForm:
        """The form with what is known of it."""
        names = ("name", "series", "list_price", "currency", "is_active", "version")
        return ProductEditForm(initial={name: getattr(product, name) for name in names})
