"""Asking for a replay."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from funnel.models import DefinitionState, DefinitionVersion


class ReplayForm(forms.Form):
    """Up to four versions and the days to look at, both included."""

    versions = forms.ModelMultipleChoiceField(
        DefinitionVersion.objects.none(),
        label=_("Versions"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("One to four; they are compared side by side."),
    )
    start = forms.DateField(label=_("First day"), widget=forms.DateInput(attrs={"type": "date"}))
    end = forms.DateField(label=_("Last day"), widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args: Any, may_see_drafts: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shown = DefinitionVersion.objects.all()
        if not may_see_drafts:
            shown = shown.exclude(state=DefinitionState.DRAFT)
        field = self.fields["versions"]
        if isinstance(field, forms.ModelMultipleChoiceField):
            field.queryset = shown

    @staticmethod
    def suggested(*, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
        """The last year, with the version in force and the one in the making."""
        today = now.astimezone(zone).date()
        states = [DefinitionState.DRAFT, DefinitionState.PROPOSED, DefinitionState.IN_FORCE]
        chosen = DefinitionVersion.objects.filter(state__in=states)
        return {
            "versions": [version.pk for version in chosen],
            "start": today - timedelta(days=365),
            "end": today,
        }

    def period(self, *, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """The days as a half-open interval of instants in the organisation's zone."""
        start = datetime.combine(self.cleaned_data["start"], time.min, zone)
        end = datetime.combine(self.cleaned_data["end"] + timedelta(days=1), time.min, zone)
        return start, end
