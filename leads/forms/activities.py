"""Logging what was done, and planning tasks."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from leads.models import ActivityKind, ActivityOutcome, Direction
from leads.services.activities import OUTCOMES
from smarketing.users.models import User
from smarketing.web.forms.moments import moment_field

_WITH_SUBJECT = (ActivityKind.MAIL, ActivityKind.MEETING)
_WITH_DURATION = (ActivityKind.CALL, ActivityKind.MEETING)


class LogForm(forms.Form):
    """A call, mail, meeting or note. The outcome is sent by the button that is pressed."""

    body = forms.CharField(
        label=_("What was said"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 3, "autofocus": True}),
    )
    outcome = forms.ChoiceField(required=False, widget=forms.HiddenInput)

    def __init__(self, kind: str, data: Any = None, *, now: datetime) -> None:
        super().__init__(data)
        outcomes = [ActivityOutcome(o) for o in OUTCOMES[kind]]
        self.outcomes = [(o.value, o.label) for o in outcomes]
        self._add_choices(kind)
        if kind == ActivityKind.NOTE:
            self.fields["body"].label = _("Note")
            self.fields["body"].required = True
        else:
            self.fields["occurred_at"] = moment_field(_("When"), now, required=False)

    def _add_choices(self, kind: str) -> None:
        outcome = self.fields["outcome"]
        if isinstance(outcome, forms.ChoiceField):
            outcome.choices = [("", ""), *self.outcomes]
        if kind == ActivityKind.NOTE:
            return
        if kind in _WITH_SUBJECT:
            self.fields["subject"] = forms.CharField(label=_("Subject"), max_length=300, required=False)
        if kind in _WITH_DURATION:
            self.fields["minutes"] = forms.IntegerField(
                label=_("Minutes"), min_value=0, max_value=1440, required=False
            )
        self.fields["direction"] = forms.ChoiceField(
            label=_("Direction"),
            choices=[(d.value, d.label) for d in (Direction.OUTBOUND, Direction.INBOUND)],
            initial=Direction.OUTBOUND,
        )

    def values(self, *, now: datetime) -> dict[str, Any]:
        """What ``activities.log`` takes, from a valid form."""
        given = dict(self.cleaned_data)
        minutes = given.pop("minutes", None)
        given["duration_seconds"] = minutes * 60 if minutes is not None else None
        # The field counts minutes: the present one may lie a few seconds ahead of what was meant.
        at = given.get("occurred_at") or now
        given["occurred_at"] = now if timedelta(0) <= now - at < timedelta(minutes=1) else at
        return given


class TaskForm(forms.Form):
    """A task for oneself or a colleague."""

    subject = forms.CharField(
        label=_("What is to be done"), max_length=300, widget=forms.TextInput(attrs={"autofocus": True})
    )
    owner = forms.ModelChoiceField(User.objects.none(), label=_("Owner"), empty_label=None)

    def __init__(self, data: Any = None, *, user: User, now: datetime) -> None:
        super().__init__(data)
        owner = self.fields["owner"]
        if isinstance(owner, forms.ModelChoiceField):
            owner.queryset = User.objects.active()
            owner.initial = user.pk
        tomorrow = timezone.localtime(now + timedelta(days=1)).replace(hour=9, minute=0, second=0)
        self.fields["due_at"] = moment_field(_("Due"), tomorrow, required=False)
