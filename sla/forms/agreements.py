"""Browser input of an agreement: its clauses, and why a clock waits."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sla.domain.clauses import BANDS, FIRST_RESPONSE, ClauseSpec
from sla.models import Calendar
from smarketing.core.errors import DomainError
from smarketing.users.models import User

UNITS = (("60", gettext_lazy("business hours")), ("1", gettext_lazy("business minutes")))
# Parts of a clause in the service's errors, and the field that shows them.
FIELD_OF = {"population": "bands", "grace_seconds": "grace"}


class ClauseForm(forms.Form):
    """The clause on first response."""

    target = forms.DecimalField(
        label=gettext_lazy("First attempt within"),
        min_value=Decimal("0.01"),
        max_digits=8,
        decimal_places=2,
        widget=forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"}),
    )
    unit = forms.ChoiceField(label=gettext_lazy("Unit"), choices=UNITS)
    calendar = forms.ModelChoiceField(
        label=gettext_lazy("Hours that count"), queryset=Calendar.objects.all(), empty_label=None
    )
    bands = forms.MultipleChoiceField(
        label=gettext_lazy("Only for leads of these cells"),
        choices=[(band, band) for band in BANDS],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None chosen means every delivered lead."),
    )
    grace = forms.IntegerField(
        label=gettext_lazy("Grace in minutes"), min_value=0, max_value=43200, required=False
    )
    accountable = forms.ModelChoiceField(
        label=gettext_lazy("Accountable"), queryset=User.objects.get_queryset().active(), required=False
    )
    backup = forms.ModelChoiceField(
        label=gettext_lazy("In their absence"), queryset=User.objects.get_queryset().active(), required=False
    )

    def document(self) -> dict[str, Any]:
        """The clause as ``sla.domain.clauses.parse`` reads it."""
        values = self.cleaned_data
        return {
            "side": "sales",
            "metric": FIRST_RESPONSE,
            "target": str(values["target"] * Decimal(values["unit"])),
            "calendar": values["calendar"].pk,
            "population": {"bands": values["bands"]} if values["bands"] else {},
            "grace_seconds": (values["grace"] or 0) * 60,
            "accountable": values["accountable"].pk if values["accountable"] else None,
            "backup": values["backup"].pk if values["backup"] else None,
        }


ClauseFormSet = forms.formset_factory(ClauseForm, extra=0, min_num=1, max_num=20, can_delete=True)


class PauseForm(forms.Form):
    """Why a clock should wait."""

    reason = forms.CharField(max_length=300)


def initial(specs: Iterable[ClauseSpec]) -> list[dict[str, Any]]:
    """Stored clauses as the forms show them, in hours where that is a whole number."""
    shown = []
    for spec in specs:
        in_hours = spec.target % 60 == 0
        shown.append(
            {
                "target": (spec.target / 60 if in_hours else spec.target).normalize() + 0,
                "unit": "60" if in_hours else "1",
                "calendar": spec.calendar,
                "bands": list(spec.bands),
                "grace": spec.grace_seconds // 60 or None,
                "accountable": spec.accountable,
                "backup": spec.backup,
            }
        )
    return shown


def refuse(formset: Any, error: DomainError) -> None:
    """Put what the service refused beside the clause and field it is about."""
    kept = [form for form in formset.forms if not formset._should_delete_form(form)]
    for item in error.errors:
        parts = item.field.split(".")
        if len(parts) == 3 and parts[1].isdigit() and int(parts[1]) < len(kept):
            form = kept[int(parts[1])]
            name = FIELD_OF.get(parts[2], parts[2])
            form.add_error(name if name in form.fields else None, item.detail)
        else:
            formset._non_form_errors.append(item.detail)
    if not error.errors:
        formset._non_form_errors.append(_(error.detail))
