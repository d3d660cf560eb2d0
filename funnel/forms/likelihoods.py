"""What people say of the columns a model may learn from."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

_RULINGS = (("yes", _("Known at capture")), ("no", _("Written after contact")), ("", _("No ruling")))


class RulingForm(forms.Form):
    """One column and what is said of it; no ruling leaves it to the guards."""

    key = forms.CharField(max_length=120)
    ruling = forms.ChoiceField(choices=_RULINGS, required=False)

    def clean(self) -> dict[str, Any]:
        """``is_known_at_capture`` as the service takes it."""
        found = super().clean() or {}
        told = {"yes": True, "no": False}.get(found.pop("ruling", ""))
        return {**found, "is_known_at_capture": told}

    def first_error(self) -> str:
        """What is wrong, in one sentence."""
        return str(next(iter(next(iter(self.errors.values())))))
