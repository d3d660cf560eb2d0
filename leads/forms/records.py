"""Typing in new leads, companies and campaigns."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from leads.models import Campaign, CampaignKind, Channel
from leads.services.companies import CompanyInput
from leads.services.people import PersonInput

_SUGGEST = {"list": "company-options", "autocomplete": "off", "data-suggest": ""}


class NewLeadForm(forms.Form):
    """Somebody who shows interest. A known person is recognised by e-mail address or phone."""

    first_name = forms.CharField(label=_("First name"), max_length=120, required=False)
    last_name = forms.CharField(label=_("Last name"), max_length=120, required=False)
    emails = forms.CharField(label=_("E-mail"), max_length=320, required=False)
    phones = forms.CharField(label=_("Phone"), max_length=60, required=False)
    company = forms.CharField(
        label=_("Company"), max_length=255, required=False, widget=forms.TextInput(attrs=_SUGGEST)
    )
    title = forms.CharField(label=_("Job title"), max_length=200, required=False)
    country = forms.CharField(label=_("Country"), max_length=80, required=False)
    origin = forms.CharField(
        label=_("Origin"), max_length=120, required=False, help_text=_("How they came, in your words.")
    )
    channel = forms.ModelChoiceField(
        Channel.objects.order_by("position"), label=_("Channel"), required=False, empty_label="–"
    )
    campaign = forms.ModelChoiceField(
        Campaign.objects.order_by("name"), label=_("Campaign"), required=False, empty_label="–"
    )
    description = forms.CharField(
        label=_("What they asked for"),
        max_length=20_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def values(self) -> dict[str, Any]:
        """What ``leads.capture`` takes, from a valid form."""
        given = self.cleaned_data
        person = PersonInput(
            first_name=given["first_name"],
            last_name=given["last_name"],
            emails=[given["emails"]],
            phones=[given["phones"]],
            title=given["title"],
            country=given["country"],
        )
        return {
            "person": person,
            "company": CompanyInput(given["company"]) if given["company"] else None,
            "origin": given["origin"],
            "channel": given["channel"],
            "campaign": given["campaign"],
            "description": given["description"],
        }


class NewCompanyForm(forms.Form):
    """A company; the rest is added on its page."""

    name = forms.CharField(label=_("Name"), max_length=255, widget=forms.TextInput(attrs={"autofocus": True}))
    domain = forms.CharField(label=_("Domain"), max_length=253, required=False)
    industry = forms.CharField(label=_("Industry"), max_length=120, required=False)
    country = forms.CharField(label=_("Country"), max_length=80, required=False)


class NewCampaignForm(forms.Form):
    """A campaign; the rest is added on its page."""

    name = forms.CharField(label=_("Name"), max_length=255, widget=forms.TextInput(attrs={"autofocus": True}))
    kind = forms.ChoiceField(label=_("Kind"), choices=CampaignKind.choices)
    channel = forms.ModelChoiceField(
        Channel.objects.order_by("position"), label=_("Channel"), required=False, empty_label="–"
    )
    starts_on = forms.DateField(
        label=_("Starts on"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    ends_on = forms.DateField(
        label=_("Ends on"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    budget = forms.DecimalField(
        label=_("Budget"), max_digits=18, decimal_places=2, min_value=0, required=False
    )
    currency = forms.CharField(label=_("Currency"), max_length=3, required=False)
