"""The form of one's own profile."""

from __future__ import annotations

from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext_lazy as _

LOCALES = (
    ("en", _("English (United States): 1,234.5")),
    ("en-gb", _("English (United Kingdom): 1,234.5")),
    ("de", _("German: 1.234,5")),
    ("fr", _("French: 1 234,5")),
    ("es", _("Spanish: 1.234,5")),
    ("it", _("Italian: 1.234,5")),
    ("nl", _("Dutch: 1.234,5")),
    ("pl", _("Polish: 1 234,5")),
    ("pt-br", _("Portuguese (Brazil): 1.234,5")),
    ("sv", _("Swedish: 1 234,5")),
)
THEMES = (("", _("As the system")), ("light", _("Light")), ("dark", _("Dark")))


def _zones() -> list[tuple[str, str]]:
    return [(z, z.replace("_", " ")) for z in sorted(available_timezones()) if "/" in z or z == "UTC"]


class ProfileForm(forms.Form):
    """What a user may change about themselves."""

    name = forms.CharField(label=_("Name"), max_length=200)
    time_zone = forms.ChoiceField(
        label=_("Time zone"), choices=_zones, help_text=_("All times are shown in it.")
    )
    locale = forms.ChoiceField(label=_("Format of numbers and dates"), choices=LOCALES)
    theme = forms.ChoiceField(
        label=_("Appearance"), choices=THEMES, required=False, help_text=_("Remembered on this device.")
    )
    shortcuts = forms.BooleanField(
        label=_("Single-key shortcuts"),
        required=False,
        help_text=_("Turn them off if you use speech input or another keyboard."),
    )
