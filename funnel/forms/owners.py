"""Choosing another owner."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from smarketing.users.models import User

MOST = 500


class OwnerForm(forms.Form):
    """Who is to be responsible."""

    owner = forms.ModelChoiceField(
        User.objects.owners(),
        label=_("Owner"),
        empty_label=_("Choose an owner"),
        error_messages={"required": _("Choose who is to be responsible.")},
    )


class SelectedForm(forms.Form):
    """The leads that were selected in a list."""

    id = forms.TypedMultipleChoiceField(coerce=int, choices=())

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        given = self.data.getlist("id") if hasattr(self.data, "getlist") else []
        usable = [i for i in given[:MOST] if i.isdecimal() and len(i) < 19]
        field = self.fields["id"]
        assert isinstance(field, forms.TypedMultipleChoiceField)  # noqa: S101
        field.choices = [(i, i) for i in usable]


class ManyLeadsForm(SelectedForm, OwnerForm):
    """The leads that were selected in a list, and their new owner."""
