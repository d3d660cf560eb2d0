"""Browser input on handoffs: returning a lead, logging an attempt."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from funnel.models import ReturnReason
from leads.models import ActivityKind, ActivityOutcome

# What a rep logs in two keys: the name in the address, what is stored, and the key after L.
ATTEMPTS: dict[str, tuple[str, str]] = {
    "reached": (ActivityKind.CALL, ActivityOutcome.REACHED),
    "no-answer": (ActivityKind.CALL, ActivityOutcome.NO_ANSWER),
    "left-message": (ActivityKind.CALL, ActivityOutcome.LEFT_MESSAGE),
    "mail": (ActivityKind.MAIL, ActivityOutcome.SENT),
    "meeting": (ActivityKind.MEETING, ActivityOutcome.HELD),
}


class ReturnForm(forms.Form):
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
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)


class AnswerForm(forms.Form):
    """The version of the handoff that the rep saw."""

    version = forms.IntegerField(required=False, min_value=1)


class AttemptForm(forms.Form):
    """Which attempt was made, just now."""

    attempt = forms.ChoiceField(choices=[(name, name) for name in ATTEMPTS])
