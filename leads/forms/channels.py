"""Forms of the rules of channels."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from leads.domain.channel_rules import Rule
from leads.domain.sites import AI, SEARCH, SHOPPING, SOCIAL, VIDEO
from leads.domain.tagging import CLICK_IDS
from leads.selectors import channel_rules
from smarketing.core.errors import Invalid
from smarketing.web.asks import AskForm

SITE_LABELS = {
    SEARCH: _("Search engine"),
    SOCIAL: _("Social network"),
    VIDEO: _("Video site"),
    SHOPPING: _("Shopping site"),
    AI: _("AI assistant"),
}
COLUMN_LABELS = {
    "source": _("Source"),
    "medium": _("Medium"),
    "campaign": _("Campaign"),
    "referrer": _("Referring site"),
    "site": _("Kind of site"),
    "click_id": _("Click id"),
}
_PATTERNS = ("source", "medium", "campaign", "referrer")


class PatternField(forms.CharField):
    """Patterns, one per line; trimmed, without blank lines."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.Textarea(attrs={"rows": 2, "spellcheck": "false"})
        super().__init__(required=False, max_length=8000, widget=widget, **kwargs)

    def clean(self, value: Any) -> tuple[str, ...]:
        """The lines."""
        text = super().clean(value)
        return tuple(line.strip() for line in text.splitlines() if line.strip())


class ChannelRuleForm(AskForm):
    """One rule: every filled field must fit, and within a field any line."""

    channel = forms.ChoiceField(label=_("Channel"))
    source = PatternField(label=COLUMN_LABELS["source"], help_text=_("One pattern per line; * is any text."))
    medium = PatternField(label=COLUMN_LABELS["medium"])
    campaign = PatternField(label=COLUMN_LABELS["campaign"])
    referrer = PatternField(label=COLUMN_LABELS["referrer"], help_text=_("Its host, such as *.example.com."))
    site = forms.MultipleChoiceField(
        label=COLUMN_LABELS["site"],
        required=False,
        choices=list(SITE_LABELS.items()),
        widget=forms.CheckboxSelectMultiple,
    )
    click_id = forms.MultipleChoiceField(
        label=COLUMN_LABELS["click_id"],
        required=False,
        choices=[(name, name) for name in CLICK_IDS],
        widget=forms.CheckboxSelectMultiple,
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        channel = self.fields["channel"]
        if isinstance(channel, forms.ChoiceField):
            channel.choices = list(channel_rules.channel_names().items())

    @classmethod
    def initial_of(cls, rule: Rule, version: int) -> dict[str, Any]:
        """What the form shows of a rule."""
        texts = {name: "\n".join(getattr(rule, name)) for name in _PATTERNS}
        lists = {"site": list(rule.site), "click_id": list(rule.click_id)}
        return {"channel": rule.channel, "version": version, **texts, **lists}

    def rule(self, key: int = 0) -> Rule:
        """The rule that was given."""
        given = self.cleaned_data
        lists = {name: tuple(given[name]) for name in COLUMN_LABELS}
        return Rule(id=key, channel=given["channel"], **lists)


class NewChannelRuleForm(ChannelRuleForm):
    """A new rule and where it goes."""

    first = forms.BooleanField(
        label=_("Before all others"),
        required=False,
        help_text=_("Otherwise it goes to the end and decides only what no other rule does."),
    )


class RemoveForm(forms.Form):
    """The version of the rules that a button was pressed on."""

    version = forms.IntegerField(min_value=1, max_value=2**31 - 1)

    def given(self) -> dict[str, int]:
        """What was sent. Raises ``Invalid`` when it is no number: no button of ours sends that."""
        if not self.is_valid():
            raise Invalid(gettext("This button has sent something that is not a number."))
        return dict(self.cleaned_data)


class MoveForm(RemoveForm):
    """The same, with the place to go to, counted from 0."""

    to = forms.IntegerField(min_value=0, max_value=1000)


class TrialForm(forms.Form):
    """A visit to try the rules on."""

    url = forms.CharField(
        label=_("Address of the page"),
        required=False,
        max_length=2000,
        help_text=_("As it stands in the browser, with utm_… or click ids."),
    )
    referrer = forms.CharField(label=_("Referrer"), required=False, max_length=2000)
