"""Browser input of mails, templates and the inbox."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from leads.domain import mail_templates as rules
from leads.models import Person
from smarketing.web.asks import AskForm


class MailForm(forms.Form):
    """A mail to one person."""

    address = forms.ChoiceField(label=_("To"))
    subject = forms.CharField(
        label=_("Subject"),
        max_length=rules.LONGEST_SUBJECT,
        widget=forms.TextInput(attrs={"autofocus": True}),
    )
    body = forms.CharField(
        label=_("Text"), max_length=rules.LONGEST_BODY, widget=forms.Textarea(attrs={"rows": 9})
    )

    def __init__(self, data: Any = None, *, person: Person, initial: Any = None) -> None:
        super().__init__(data, initial=initial, auto_id="mail_%s")
        address = self.fields["address"]
        if isinstance(address, forms.ChoiceField):
            address.choices = [
                (email.email, email.email) for email in person.emails.order_by("-is_primary", "pk")
            ]


class TemplateForm(AskForm):
    """A template."""

    name = forms.CharField(label=_("Name"), max_length=120)
    subject = forms.CharField(label=_("Subject"), max_length=rules.LONGEST_SUBJECT)
    body = forms.CharField(
        label=_("Text"),
        max_length=rules.LONGEST_BODY,
        widget=forms.Textarea(attrs={"rows": 10}),
        help_text=_("Write {{ first_name }} and the like: ") + ", ".join(rules.FIELDS),
    )
    is_active = forms.BooleanField(label=_("In use"), required=False, initial=True)
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)


class InboxForm(AskForm):
    """Where people reply to."""

    address = forms.EmailField(
        label=_("Address for replies"),
        max_length=200,
        help_text=_("Mail to this address and to address+anything@ must reach your mail service."),
    )
