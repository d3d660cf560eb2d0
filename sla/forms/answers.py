"""Browser input on handoffs: returning a lead, logging an attempt, setting one aside, the next step."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from funnel.models import ReturnReason
from leads.models import ActivityKind, ActivityOutcome
from sla.domain.snoozes import LONGEST_REASON
from smarketing.web.asks import AskForm

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


_AT = "%Y-%m-%dT%H:%M"
MORNING = time(9)
# "own" reads the field beside the choice.
LATER = (
    ("hour", _("In an hour")),
    ("afternoon", _("In three hours")),
    ("tomorrow", _("Tomorrow at 9")),
    ("monday", _("Next Monday at 9")),
    ("own", _("At another time:")),
)


def later(choice: str, now: datetime) -> datetime:
    """The instant that a choice of :data:`LATER` means, in the viewer's zone."""
    local = timezone.localtime(now)
    if choice in ("hour", "afternoon"):
        return now + timedelta(hours=1 if choice == "hour" else 3)
    days = 1 if choice == "tomorrow" else 7 - local.weekday()
    return timezone.make_aware(datetime.combine(local.date() + timedelta(days=days), MORNING))


class LaterForm(AskForm):
    """When: a choice, or a time of one's own in the viewer's zone."""

    when = forms.ChoiceField(label=_("Until"), choices=LATER, initial="tomorrow", widget=forms.RadioSelect)
    own = forms.DateTimeField(
        label=_("Time"),
        required=False,
        input_formats=[_AT, f"{_AT}:%S"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=_AT),
    )

    def __init__(self, *args: Any, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._now = now

    def clean(self) -> dict[str, Any]:
        """Work out ``until``."""
        cleaned = super().clean() or {}
        choice = cleaned.get("when")
        if choice == "own" and "own" in cleaned and cleaned["own"] is None:
            self.add_error("own", _("Give the time, or choose one of the others."))
        elif choice:
            cleaned["until"] = cleaned.get("own") if choice == "own" else later(choice, self._now)
        return cleaned


class SnoozeForm(LaterForm):
    """For how long a lead waits, and why."""

    reason = forms.CharField(
        label=_("Why"),
        max_length=LONGEST_REASON,
        error_messages={"required": _("Say in a few words why it waits: colleagues read it.")},
    )
    field_order = ("when", "own", "reason")


class NextStepForm(LaterForm):
    """What comes next with a lead, and when to be reminded of it."""

    subject = forms.CharField(label=_("What is to be done"), max_length=300)
    field_order = ("subject", "when", "own")

    def __init__(self, *args: Any, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, now=now, **kwargs)
        self.fields["when"].label = _("When")
        self.fields["subject"].widget.attrs["autofocus"] = True
