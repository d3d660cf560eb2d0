"""Browser input on one lead: answering a handoff, delivering, moving, need and budget."""

from __future__ import annotations

from collections.abc import Iterable

from django import forms
from django.utils.translation import gettext_lazy as _

from funnel.models import Qualification, ReturnReason, Stage


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


class MoveForm(forms.Form):
    """Another stage and why."""

    to = forms.ChoiceField(label=_("To"))
    reason = forms.CharField(label=_("Why"), max_length=500, help_text=_("It stays in the lead's history."))

    def __init__(self, *args: object, targets: Iterable[Stage], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        to = self.fields["to"]
        if isinstance(to, forms.ChoiceField):
            to.choices = [(stage.code, stage.name) for stage in targets]


class QualificationForm(forms.Form):
    """What sales found out: with acceptance, need and budget make the lead an SQL."""

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
