"""Forms of custom attributes."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from leads.models import AttributeSubject, AttributeType
from leads.selectors import attributes
from smarketing.web.asks import AskForm


class AttributeChangeForm(AskForm):
    """What can be changed of an attribute: its type stays, since values may be stored already."""

    label = forms.CharField(label=_("Label"), max_length=120)
    choices = forms.CharField(
        label=_("Choices"),
        required=False,
        max_length=8000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("One per line; only for the type “Choice”."),
    )
    is_after_contact = forms.BooleanField(
        label=_("Written after contact"),
        required=False,
        help_text=_("Known only after sales has spoken to the person, so it must not predict at capture."),
    )

    def clean_choices(self) -> list[str]:
        """One entry per line, each once."""
        lines = (line.strip() for line in self.cleaned_data["choices"].splitlines())
        return list(dict.fromkeys(line for line in lines if line))


class AttributeForm(AttributeChangeForm):
    """A new attribute; its key is made from the label when none is given."""

    subject = forms.ChoiceField(label=_("Belongs to"), choices=AttributeSubject.choices)
    key = forms.CharField(
        label=_("Key"),
        required=False,
        max_length=60,
        help_text=_("The name in imports and in the API; made from the label when left empty."),
    )
    type = forms.ChoiceField(label=_("Type"), choices=AttributeType.choices)
    field_order = ("subject", "label", "key", "type", "choices", "is_after_contact")

    def clean(self) -> dict[str, Any]:
        """Make the key, and refuse one that is taken: this form never changes another attribute."""
        given = self.cleaned_data
        key = given.get("key") or re.sub(r"\W+", "_", slugify(given.get("label", "")))[:60].strip("_")
        if not key:
            self.add_error("key", _("Write a key of letters, digits and underscores."))
        elif attributes.find(given.get("subject", ""), key):
            self.add_error("key", _("There is an attribute with this key already."))
        return {**given, "key": key}
