"""Browser input on one lead: answering a handoff, delivering, moving, need and budget."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from funnel.forms.owners import SelectedForm
from funnel.models import Qualification, ReturnReason, Stage

ASKED_OF_SQL = ("need", "budget", "currency")


class VersionForm(forms.Form):
    """The version that the user saw."""

    version = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)


class ReturnForm(VersionForm):
    """Why a lead goes back to marketing."""

    reason = forms.ChoiceField(
        label=_("Why"),
        choices=ReturnReason.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose why it goes back: marketing reads it and acts on it.")},
    )
    note = forms.CharField(
        label=_("What should marketing know?"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class OverrideForm(forms.Form):
    """Why a lead passes although something is missing."""

    override_reason = forms.CharField(
        label=_("Why it passes all the same"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The rep reads this with the lead, and it stays on record."),
    )


class NeedForm(forms.Form):
    """What the person needs and can spend."""

    need = forms.CharField(
        label=_("Need"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("What they want to achieve, in their words."),
    )
    budget = forms.DecimalField(
        label=_("Budget"), required=False, min_value=0, max_digits=18, decimal_places=2
    )
    currency = forms.CharField(label=_("Currency"), required=False, max_length=3)


class MoveForm(NeedForm):
    """Another stage and why."""

    field_order = ("to",)
    to = forms.ChoiceField(label=_("To"))
    reason = forms.CharField(label=_("Why"), max_length=500, help_text=_("It stays in the lead's history."))
    version = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)

    def __init__(self, *args: Any, targets: Iterable[Stage], asks_need: bool = False, **kwargs: Any) -> None:
        """``asks_need``: the stage wants need and budget, which are then asked for."""
        super().__init__(*args, **kwargs)
        to = self.fields["to"]
        if isinstance(to, forms.ChoiceField):
            to.choices = [(stage.code, stage.name) for stage in targets]
        if not asks_need:
            for name in ASKED_OF_SQL:
                del self.fields[name]


class ManyMovesForm(SelectedForm):
    """Leads that were selected in a list, where they are to go, and why."""

    to = forms.ModelChoiceField(
        Stage.objects.filter(is_active=True, by_hand=True).order_by("position", "code"),
        to_field_name="code",
        label=_("Stage"),
        empty_label=_("Move to…"),
    )
    reason = forms.CharField(
        label=_("Why"), max_length=500, widget=forms.TextInput(attrs={"placeholder": _("Why")})
    )


class QualificationForm(NeedForm):
    """What sales found out: with acceptance, need and budget make the lead an SQL."""

    version = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)

    @classmethod
    def of(cls, qualification: Qualification | None, *, currency: str) -> QualificationForm:
        """The form with what is known; ``currency`` is the organisation's."""
        if qualification is None:
            return cls(initial={"currency": currency, "version": 0})
        return cls(
            initial={
                "need": qualification.need,
                "budget": qualification.budget,
                "currency": qualification.currency or currency,
                "version": qualification.version,
            }
        )
