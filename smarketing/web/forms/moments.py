"""A day and time as browsers ask for it, on the viewer's wall clock."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone

_AT = "%Y-%m-%dT%H:%M"


def moment_field(label: Any, initial: datetime | None, *, required: bool) -> forms.DateTimeField:
    """A day and time in the viewer's zone."""
    return forms.DateTimeField(
        label=label,
        required=required,
        initial=timezone.localtime(initial).replace(tzinfo=None) if initial else None,
        input_formats=[_AT, f"{_AT}:%S"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=_AT),
    )
