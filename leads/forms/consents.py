"""Writing down by hand what somebody has allowed or forbidden."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from leads.models import ConsentState, ContactChannel
from leads.selectors import consents
from smarketing.web.asks import AskForm

_FORBID, _ALLOW = "forbid", "allow"


class RecordConsentForm(AskForm):
    """What they said, when, and how we know."""

    what = forms.ChoiceField(label=gettext_lazy("What they said"))
    text = forms.CharField(
        label=gettext_lazy("In which words"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("The wording they agreed to. It is kept as proof."),
    )
    occurred_at = forms.DateTimeField(
        label=gettext_lazy("When"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    source = forms.CharField(
        label=gettext_lazy("How we know"),
        max_length=60,
        help_text=gettext_lazy("Such as: on the phone, signed at the fair."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["what"].choices = _choices()  # type: ignore[attr-defined]

    def values(self) -> dict[str, Any]:
        """As ``services.consents.record`` takes them."""
        given = self.cleaned_data
        action, _sep, rest = given["what"].partition(":")
        common = {"text": given["text"], "source": given["source"], "occurred_at": given["occurred_at"]}
        if action in (_FORBID, _ALLOW):
            state = ConsentState.WITHDRAWN if action == _FORBID else ConsentState.GRANTED
            return {**common, "channel": rest, "state": state, "text": ""}
        return {**common, "purpose": consents.purpose_of(rest), "state": action}


def _choices() -> list[tuple[str, list[tuple[str, str]]]]:
    purposes = [
        (f"{state}:{purpose.code}", f"{label}: {purpose.name}")
        for purpose in consents.asked_for()
        for state, label in ((ConsentState.GRANTED, _("Agreed")), (ConsentState.WITHDRAWN, _("Took back")))
    ]
    channels = [
        (f"{action}:{channel.value}", f"{label}: {channel.label}")
        for channel in ContactChannel
        for action, label in ((_FORBID, _("Do not contact")), (_ALLOW, _("May be contacted again")))
    ]
    return [(_("Purposes"), purposes), (_("Contact"), channels)]


class PurposeForm(AskForm):
    """The words of a purpose."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    description = forms.CharField(
        label=gettext_lazy("What people read"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    channel = forms.ChoiceField(
        label=gettext_lazy("Channel"), required=False, choices=[("", "–"), *ContactChannel.choices]
    )
    is_active = forms.BooleanField(label=gettext_lazy("In use"), required=False, initial=True)


class NewPurposeForm(PurposeForm):
    """A new purpose; its code never changes."""

    code = forms.SlugField(
        label=gettext_lazy("Code"),
        max_length=40,
        help_text=gettext_lazy("The name in forms, imports and the API."),
    )
    field_order = ("name", "code", "description", "channel", "is_active")

    def clean_code(self) -> str:
        """Refuse a code that is taken: this form never changes another purpose."""
        code: str = self.cleaned_data["code"]
        if consents.purpose_of(code):
            raise forms.ValidationError(_("There is a purpose with this code already."))
        return code
