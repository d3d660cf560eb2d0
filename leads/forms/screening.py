"""The form of our own traffic."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from leads.forms.channels import PatternField
from leads.models import Screening


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
    version = forms.IntegerField(widget=forms.HiddenInput)

    @classmethod
    def initial_of(cls, row: Screening) -> dict[str, Any]:
        """What the form shows."""
        return {"networks": "\n".join(row.networks), "hosts": "\n".join(row.hosts), "version": row.version}
