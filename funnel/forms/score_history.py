"""The instant of which a score is to be explained."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class InstantForm(forms.Form):
    """A day and a time in the viewer's zone, from the lead's capture until now."""

    at = forms.DateTimeField(
        label=_("Why was it what it was on"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"],
    )

    def __init__(self, *args: Any, since: datetime, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.since, self.now = since, now
        zone = timezone.get_current_timezone()
        widget = self.fields["at"].widget
        widget.attrs["min"] = since.astimezone(zone).strftime("%Y-%m-%dT%H:%M")
        widget.attrs["max"] = now.astimezone(zone).strftime("%Y-%m-%dT%H:%M")

    @classmethod
    def at_first(cls, now: datetime, *, since: datetime) -> InstantForm:
        """The form before anything was asked."""
        return cls(initial={"at": now}, since=since, now=now)

    def clean_at(self) -> datetime:
        """Within the lead's time; a minute that holds the capture means the capture."""
        at: datetime = self.cleaned_data["at"]
        if at.replace(second=59, microsecond=999999) < self.since or at > self.now:
            raise forms.ValidationError(_("Give a time from the lead's capture until now."))
        return max(at, self.since)
