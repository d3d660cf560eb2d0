"""The parameters of a report as a form in the address bar."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from leads.models import Source
from reporting.reports.catalogue import Report

_GROUPING_LABELS = {
    "origin": _("Origin"),
    "channel": _("Channel"),
    "campaign": _("Campaign"),
    "source": _("Source"),
    "landing": _("Landing page"),
    "day": _("Day"),
}


class ReportForm(forms.Form):
    """First and last day, source and grouping; every change reloads the report."""

    def __init__(self, *args: Any, report: Report, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # "from" is a word of the language, so the two days are added by name.
        chosen = {"from": _day(gettext("First day")), "to": _day(gettext("Last day")), "source": _sources()}
        if report.groupings:
            labels = [(grouping, _GROUPING_LABELS[grouping]) for grouping in report.groupings]
            chosen["by"] = forms.ChoiceField(label=_("Group by"), required=False, choices=labels)
        for amount in report.amounts:
            chosen[amount.key] = forms.DecimalField(
                label=str(amount.label),
                required=False,
                initial=amount.default,
                widget=forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"}),
            )
        self.fields.update(chosen)


def _day(label: str) -> forms.Field:
    return forms.DateField(label=label, required=False, widget=forms.DateInput(attrs={"type": "date"}))


def _sources() -> forms.Field:
    choices = [("", _("All")), *Source.objects.values_list("code", "name")]
    return forms.ChoiceField(label=_("Source"), required=False, choices=choices)
