"""Browser input of a business calendar: one line of hours per weekday, one line per holiday."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sla.domain.calendars import WEEKDAYS
from sla.selectors import hours, public_holidays
from smarketing.core.errors import DomainError
from smarketing.users.models import User

DAY_NAMES = {
    "mon": gettext_lazy("Monday"),
    "tue": gettext_lazy("Tuesday"),
    "wed": gettext_lazy("Wednesday"),
    "thu": gettext_lazy("Thursday"),
    "fri": gettext_lazy("Friday"),
    "sat": gettext_lazy("Saturday"),
    "sun": gettext_lazy("Sunday"),
}
_WINDOW = re.compile(r"^(\d{1,2}:\d\d)\s*[-–]\s*(\d{1,2}:\d\d)$")
_HOLIDAY = re.compile(
    r"^(?P<date>\d{4}-\d\d-\d\d)(?:\s+(?P<opens>\d{1,2}:\d\d)\s*[-–]\s*(?P<closes>\d{1,2}:\d\d))?\s*(?P<name>.*)$"
)


def _zones() -> list[tuple[str, str]]:
    return [(z, z.replace("_", " ")) for z in sorted(available_timezones()) if "/" in z or z == "UTC"]


class CalendarForm(forms.Form):
    """A calendar's body as people write it; ``body()`` is the document that the service checks."""

    zone = forms.ChoiceField(label=gettext_lazy("Time zone"), choices=_zones)
    mon, tue, wed, thu, fri, sat, sun = (
        forms.CharField(
            label=DAY_NAMES[day],
            required=False,
            max_length=200,
            widget=forms.TextInput(attrs={"placeholder": gettext_lazy("closed"), "autocomplete": "off"}),
        )
        for day in WEEKDAYS
    )
    holidays = forms.CharField(
        label=gettext_lazy("Holidays"),
        required=False,
        max_length=60_000,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
        help_text=gettext_lazy(
            "One per line: 2026-12-25 Christmas, or 2026-12-24 14:00-24:00 Christmas Eve."
        ),
    )
    number = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def clean(self) -> dict[str, Any]:
        """Read hours and holidays; each unreadable line is named."""
        cleaned = super().clean() or {}
        for day in WEEKDAYS:
            if day in cleaned:
                cleaned[day] = self._windows(day, cleaned[day])
        if "holidays" in cleaned:
            cleaned["holidays"] = self._holidays(cleaned["holidays"])
        return cleaned

    def body(self) -> dict[str, Any]:
        """The document of ``sla.domain.calendars``."""
        values = self.cleaned_data
        return {
            "zone": values["zone"],
            "week": {day: values[day] for day in WEEKDAYS},
            "holidays": values["holidays"],
        }

    def refuse(self, error: DomainError) -> None:
        """Put what the service refused beside the line it is about ("week.mon.0" is Monday's)."""
        for item in error.errors:
            parts = item.field.split(".")
            name = parts[1] if parts[0] == "week" and len(parts) > 1 else parts[0]
            self.add_error(name if name in self.fields else None, item.detail)
        if not error.errors:
            self.add_error(None, error.detail)

    def _windows(self, day: str, text: str) -> list[list[str]]:
        windows = []
        for part in filter(None, (p.strip() for p in re.split(r"[,;]", text))):
            found = _WINDOW.match(part)
            if found is None:
                self.add_error(day, _("Write hours like 10:00-18:00, several with a comma between them."))
                return []
            windows.append([found[1].zfill(5), found[2].zfill(5)])
        return windows

    def _holidays(self, text: str) -> list[dict[str, str]]:
        days = []
        for number, line in enumerate(text.splitlines(), start=1):
            if not line.strip():
                continue
            found = _HOLIDAY.match(line.strip())
            if found is None:
                self.add_error(
                    "holidays", _("Line %(n)d does not begin with a date like 2026-12-25.") % {"n": number}
                )
                continue
            entry = {"date": found["date"], "name": found["name"].strip()[:200]}
            if found["opens"]:
                entry |= {"from": found["opens"].zfill(5), "to": found["closes"].zfill(5)}
            days.append(entry)
        return days


class PublicHolidaysForm(forms.Form):
    """Which public holidays to add to the list."""

    country = forms.ChoiceField(
        label=gettext_lazy("Country"),
        choices=lambda: [("", "–"), *public_holidays.countries()],
        required=False,
    )
    region = forms.CharField(
        label=gettext_lazy("Region"),
        max_length=20,
        required=False,
        help_text=gettext_lazy("Its code, like BE."),
    )
    year = forms.IntegerField(label=gettext_lazy("Year"), min_value=1970, max_value=2100)


class NewCalendarForm(forms.Form):
    """A further calendar starts as a copy of the default one."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)


class OwnHoursForm(forms.Form):
    """Whose promises are counted by the calendar alone."""

    user = forms.ModelChoiceField(
        label=gettext_lazy("Rep"),
        queryset=User.objects.none(),
        empty_label=gettext_lazy("Choose a rep"),
        error_messages={"required": gettext_lazy("Choose whose hours these are.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["user"].queryset = hours.could_have()  # type: ignore[attr-defined]


def initial(body: Mapping[str, Any], number: int) -> dict[str, Any]:
    """A stored body as the form shows it."""
    week = {day: ", ".join(f"{a}-{b}" for a, b in body["week"].get(day, [])) for day in WEEKDAYS}
    return {
        "zone": body["zone"],
        **week,
        "holidays": lines(body.get("holidays", [])),
        "number": number,
    }


def lines(holidays: Sequence[Mapping[str, str]]) -> str:
    """Holidays as lines of text, in order of their dates."""
    written = []
    for day in sorted(holidays, key=lambda d: (d["date"], d.get("from", ""))):
        hours = f" {day['from']}-{day['to']}" if "from" in day else ""
        written.append(f"{day['date']}{hours} {day.get('name', '')}".rstrip())
    return "\n".join(written)


def merged(own: Sequence[Mapping[str, str]], public: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """Own days and public holidays together; a day that is listed already stays as it is."""
    known = {day["date"] for day in own}
    return [*own, *(day for day in public if day["date"] not in known)]
