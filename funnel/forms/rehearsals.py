"""Browser input of a rehearsal: the days, and every owner's weight and capacity as they are to be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from funnel.selectors.rehearsals import Changed
from smarketing.users.models import User

LONGEST_DAYS = 366


class RehearsalForm(forms.Form):
    """A weight of 0, or none, leaves an owner out."""

    first = forms.DateField(label=_("First day"), widget=forms.DateInput(attrs={"type": "date"}))
    last = forms.DateField(label=_("Last day"), widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(
        self,
        data: Any,
        *,
        owners: Sequence[User],
        present: Mapping[int, Changed],
        days: tuple[date, date],
    ) -> None:
        super().__init__(data, initial={"first": days[0], "last": days[1]})
        self.owners = owners
        for owner in owners:
            seat = present.get(owner.pk)
            weight = forms.IntegerField(
                label=_("Weight"),
                required=False,
                min_value=0,
                max_value=20,
                initial=seat.weight if seat else 0,
            )
            capacity = forms.IntegerField(
                label=_("Leads in 30 days"),
                required=False,
                min_value=1,
                max_value=10_000,
                initial=seat.capacity if seat else None,
            )
            for name, field in ((f"weight_{owner.pk}", weight), (f"capacity_{owner.pk}", capacity)):
                field.widget.attrs["aria-label"] = f"{owner.name}: {field.label}"
                self.fields[name] = field

    @property
    def rows(self) -> list[tuple[User, forms.BoundField, forms.BoundField]]:
        """Each owner with both fields."""
        return [(o, self[f"weight_{o.pk}"], self[f"capacity_{o.pk}"]) for o in self.owners]

    def clean(self) -> dict[str, Any]:
        """The days are in order and not too many, and somebody takes leads."""
        data = super().clean() or self.cleaned_data
        first, last = data.get("first"), data.get("last")
        if first and last and not 0 <= (last - first).days < LONGEST_DAYS:
            raise ValidationError(gettext("Choose at most a year, and a last day after the first one."))
        if not self.errors and not self.changed():
            raise ValidationError(gettext("Give at least one owner a weight."))
        return data

    def changed(self) -> dict[int, Changed]:
        """The pool as it is to be."""
        data = self.cleaned_data
        return {
            o.pk: Changed(data[f"weight_{o.pk}"], data.get(f"capacity_{o.pk}"))
            for o in self.owners
            if data.get(f"weight_{o.pk}")
        }
