"""Confirming an erasure by the person's name, and setting how long data is kept."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from leads.domain import retention
from smarketing.web.asks import AskForm


class EraseForm(forms.Form):
    """An erasure can't be undone, so who asks for it types whom it is about."""

    typed = forms.CharField(label=gettext_lazy("Type the name to confirm"), max_length=400)
    reason = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=200,
        help_text=gettext_lazy("Without naming the person: the reason is kept."),
    )

    def __init__(self, *args: Any, expected: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.expected = expected
        self.fields["typed"].widget.attrs["autocomplete"] = "off"

    def clean_typed(self) -> str:
        """Refuse anything but the name."""
        typed: str = self.cleaned_data["typed"]
        if " ".join(typed.split()).casefold() != " ".join(self.expected.split()).casefold():
            raise forms.ValidationError(_("This is not “%(name)s”.") % {"name": self.expected})
        return typed


class RetentionForm(AskForm):
    """For how long."""

    days = forms.IntegerField(
        label=gettext_lazy("Days"),
        required=False,
        min_value=retention.LEAST_DAYS,
        max_value=retention.MOST_DAYS,
        help_text=gettext_lazy("Empty: for ever."),
    )
