"""The form of one's own notices: a row of two choices for every kind, and the hours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from smarketing.notifications import topics
from smarketing.notifications.domain.quiet import Rhythm
from smarketing.notifications.models import MailRhythm, NoticeHours
from smarketing.notifications.selectors.preferences import Wish
from smarketing.notifications.services.preferences import Hours

WEEKDAYS = (
    (0, _("Monday")),
    (1, _("Tuesday")),
    (2, _("Wednesday")),
    (3, _("Thursday")),
    (4, _("Friday")),
    (5, _("Saturday")),
    (6, _("Sunday")),
)
USUAL = ("", _("As usual"))
_CLOCK = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


class NoticesForm(forms.Form):
    """Quiet hours, the hour of digests, and for each kind whether and when one is told."""

    quiet_from = forms.TimeField(label=_("From"), required=False, widget=_CLOCK)
    quiet_until = forms.TimeField(label=_("Until"), required=False, widget=_CLOCK)
    digest_hour = forms.TypedChoiceField(
        label=_("Hour of the digest"), coerce=int, choices=[(hour, f"{hour:02}:00") for hour in range(24)]
    )
    digest_weekday = forms.TypedChoiceField(label=_("Day of the weekly digest"), coerce=int, choices=WEEKDAYS)
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kind in topics.kinds():
            self.fields[f"app_{kind.code}"] = forms.BooleanField(required=False, label=str(kind.label))
            self.fields[f"mail_{kind.code}"] = forms.ChoiceField(
                required=False, choices=[USUAL, *MailRhythm.choices], label=str(kind.label)
            )

    def rows(self) -> list[dict[str, Any]]:
        """For each kind: what it is, and its two fields."""
        return [
            {"kind": kind, "app": self[f"app_{kind.code}"], "mail": self[f"mail_{kind.code}"]}
            for kind in topics.kinds()
        ]

    def wishes(self) -> dict[str, Wish]:
        """What was chosen for every kind."""
        given = self.cleaned_data
        found = {}
        for kind in topics.kinds():
            mail = given[f"mail_{kind.code}"]
            found[kind.code] = Wish(given[f"app_{kind.code}"], Rhythm(mail) if mail else None)
        return found

    def hours(self) -> Hours:
        """The hours that were chosen."""
        given = self.cleaned_data
        return Hours(given["quiet_from"], given["quiet_until"], given["digest_hour"], given["digest_weekday"])


def initial(hours: NoticeHours, chosen: Mapping[str, Wish]) -> dict[str, Any]:
    """What the form shows first."""
    told: dict[str, Any] = {
        "quiet_from": hours.quiet_from,
        "quiet_until": hours.quiet_until,
        "digest_hour": hours.digest_hour,
        "digest_weekday": hours.digest_weekday,
        "version": hours.version,
    }
    for code, wish in chosen.items():
        told[f"app_{code}"] = wish.in_app
        told[f"mail_{code}"] = wish.mail.value if wish.mail else ""
    return told
