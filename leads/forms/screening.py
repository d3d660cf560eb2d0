"""The form of our own traffic."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from leads.forms.channels import PatternField
from leads.models import Screening, Source
from leads.selectors import screening


class ScreeningForm(forms.Form):
    """Networks and hosts whose visits are colleagues'."""

    networks = PatternField(
        label=_("Our networks"),
        help_text=_(
            "One per line, such as 203.0.113.0/24. Of a visitor's address only the first three parts are"
            " kept, so a single address stands for its whole /24."
        ),
    )
    hosts = PatternField(
        label=_("Hosts that are no public site"),
        help_text=_("One per line; * is any text: localhost, staging.*"),
    )
    lead_sources = forms.ModelMultipleChoiceField(
        label=_("Whoever is identified here for the first time becomes a lead"),
        required=False,
        queryset=Source.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Leave out an application whose users are customers already."),
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = self.fields["lead_sources"]
        if isinstance(chosen, forms.ModelMultipleChoiceField):
            chosen.queryset = screening.tracked_sources()

    @classmethod
    def initial_of(cls, row: Screening) -> dict[str, Any]:
        """What the form shows."""
        openers = [source.pk for source in screening.tracked_sources() if source.opens_laps]
        texts = {"networks": "\n".join(row.networks), "hosts": "\n".join(row.hosts)}
        return {**texts, "lead_sources": openers, "version": row.version}
