"""Settings of a form: where it may stand, whom it tells, what its leads belong to."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from leads.models import Campaign, Form
from smarketing.users.models import User


class FormSettings(forms.Form):
    """Everything but the fields and words, which are in the builder."""

    name = forms.CharField(label=_("Name"), max_length=120)
    is_active = forms.BooleanField(label=_("Takes answers"), required=False, initial=True)
    campaign = forms.ModelChoiceField(
        label=_("Campaign of its leads"), queryset=Campaign.objects.none(), required=False
    )
    content = forms.CharField(
        label=_("Content"),
        max_length=200,
        required=False,
        help_text=_("What is given for it, such as a guide."),
    )
    origin = forms.CharField(label=_("Origin of its leads"), max_length=120, required=False)
    notify = forms.ModelChoiceField(
        label=_("Who is told of answers"), queryset=User.objects.none(), required=False
    )
    sites = forms.CharField(
        label=_("Websites that may use it"),
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("One address a line, such as https://www.example.com. Empty: any website."),
    )
    redirect_hosts = forms.CharField(
        label=_("Hosts it may lead to afterwards"),
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("One host a line, such as www.example.com."),
    )
    min_seconds = forms.IntegerField(
        label=_("Shortest time to fill it in (seconds)"),
        min_value=0,
        max_value=120,
        initial=2,
        help_text=_("Faster answers wait in quarantine."),
    )
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, viewer: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        campaigns = Campaign.objects.visible_to(viewer).order_by("name")
        self.fields["campaign"].queryset = campaigns  # type: ignore[attr-defined]
        self.fields["notify"].queryset = User.objects.active().order_by("name")  # type: ignore[attr-defined]

    def values(self) -> dict[str, Any]:
        """As ``services.forms`` takes them."""
        given = {n: v for n, v in self.cleaned_data.items() if n != "version"}
        return {
            **given,
            "sites": given["sites"].splitlines(),
            "redirect_hosts": given["redirect_hosts"].splitlines(),
        }


class NewFormSettings(FormSettings):
    """A new form: the rest can follow."""

    field_order = ("name", "campaign", "notify", "content")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("is_active", "origin", "sites", "redirect_hosts", "min_seconds", "version"):
            del self.fields[name]

    def values(self) -> dict[str, Any]:
        """As ``services.forms`` takes them."""
        return dict(self.cleaned_data)


def initial(form: Form) -> dict[str, Any]:
    """What the settings read now."""
    plain = ("name", "is_active", "campaign", "content", "origin", "notify", "min_seconds", "version")
    lists = {n: "\n".join(getattr(form, n)) for n in ("sites", "redirect_hosts")}
    return {n: getattr(form, n) for n in plain} | lists
