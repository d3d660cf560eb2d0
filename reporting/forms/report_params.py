"""The parameters of a report as a form in the address bar."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from leads.models import Source
from reporting.reports.catalogue import Report

_GROUPING_LABELS = {
    "origin": _("Origin"),
    "channel": _("Channel"),
    "campaign": _("Campaign"),
    "source": _("Source"),
}


class ReportForm(forms.Form):
    """First and last day, source and grouping; every change reloads the report."""

    source = forms.ChoiceField(label=_("Source"), required=False)
    by = forms.ChoiceField(label=_("Group by"), required=False)

    def __init__(self, *args: Any, report: Report, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # "from" is a word of the language, so the two days are added by name.
        day = {"required": False, "widget": forms.DateInput(attrs={"type": "date"})}
        fields = {
            "from": forms.DateField(label=_("First day"), **day),
            "to": forms.DateField(label=_("Last day"), **day),
            **self.fields,
        }
        choices = [("", _("All")), *Source.objects.values_list("code", "name")]
        fields["source"].choices = choices
        if report.groupings:
            fields["by"].choices = [(g, _GROUPING_LABELS[g]) for g in report.groupings]
        else:
            del fields["by"]
        self.fields = fields
