"""Forms of API tokens and of receivers of webhooks."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from django import forms
from django.utils.translation import gettext_lazy as _

from smarketing.notifications.models import EndpointFormat
from smarketing.web.asks import AskForm

SCOPES = (("read", _("Read: see what you see")), ("write", _("Write: change what you may change")))
LIVES = (
    ("30", _("30 days")),
    ("90", _("90 days")),
    ("365", _("One year")),
    ("", _("It does not expire")),
)


class TokenForm(AskForm):
    """A new token for oneself."""

    name = forms.CharField(label=_("Name"), max_length=120, help_text=_("What will use it?"))
    scopes = forms.MultipleChoiceField(
        label=_("Scopes"), choices=SCOPES, widget=forms.CheckboxSelectMultiple, initial=["read"]
    )
    days = forms.ChoiceField(label=_("Works for"), choices=LIVES, required=False, initial="90")

    def expires_at(self, now: datetime) -> datetime | None:
        """When the token ends, counted from ``now``."""
        days = self.cleaned_data["days"]
        return now + timedelta(days=int(days)) if days else None


class EndpointForm(AskForm):
    """A receiver of webhooks."""

    name = forms.CharField(label=_("Name"), max_length=120)
    url = forms.CharField(
        label=_("Address"), max_length=2048, help_text=_("https://…"), widget=forms.URLInput
    )
    topics = forms.CharField(
        label=_("Topics"),
        max_length=5200,
        initial="*",
        help_text=_("With commas between them, such as handoff.delivered, opportunity.*; * means all."),
    )
    format = forms.ChoiceField(
        label=_("Format"),
        choices=EndpointFormat.choices,
        initial=EndpointFormat.STANDARD,
        required=False,
        help_text=_("Slack's also fits Mattermost and others: paste the address of an incoming webhook."),
    )

    def clean_topics(self) -> list[str]:
        """One entry per topic; the service judges them."""
        return [topic for topic in re.split(r"[\s,;]+", self.cleaned_data["topics"]) if topic]

    def clean_format(self) -> str:
        """The standard one unless another is named."""
        return self.cleaned_data["format"] or EndpointFormat.STANDARD.value


class SinceForm(AskForm):
    """Since when a receiver is to get again what it missed."""

    since = forms.DateTimeField(
        label=_("Since"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("In your time zone, at most thirty days ago."),
    )


class ConfirmForm(AskForm):
    """Nothing but a yes."""
