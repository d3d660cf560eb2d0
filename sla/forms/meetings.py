"""Browser input of meetings."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from sla.selectors import meetings
from sla.services.meetings import LONGEST
from smarketing.web.asks import AskForm


class MeetingForm(AskForm):
    """A meeting that was held."""

    held_at = forms.DateTimeField(
        label=_("When it was held"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    attendees = forms.ModelMultipleChoiceField(
        label=_("Who was there"),
        queryset=meetings.people(),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("At least one of marketing and one of sales."),
    )
    note = forms.CharField(
        label=_("What was decided"),
        required=False,
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 4}),
    )


class VoidForm(AskForm):
    """Why an entry does not count."""

    reason = forms.CharField(label=_("Why it does not count"), max_length=300)
