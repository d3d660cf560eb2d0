"""Reads of calendars and their versions."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils import dates
from django.utils.functional import Promise

from sla.domain.calendars import WEEKDAYS
from sla.models import Calendar, CalendarVersion
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Day:
    """A weekday's hours in words; empty when it is closed."""

    name: Text
    hours: list[str]


def default() -> Calendar:
    """The calendar clauses use unless they name another."""
    return Calendar.objects.filter(is_default=True).get()


def visible_to(user: User) -> QuerySet[Calendar]:
    """Everybody may read the hours that count."""
    return Calendar.objects.all() if user.may(Capability.VIEW) else Calendar.objects.none()


def everything() -> QuerySet[Calendar]:
    """All calendars by name."""
    return Calendar.objects.order_by("name", "pk")


def present(calendar: Calendar) -> CalendarVersion:
    """The version that clocks start with now."""
    return CalendarVersion.objects.filter(calendar=calendar).order_by("-number")[:1].get()


def versions(calendar: Calendar) -> QuerySet[CalendarVersion]:
    """All versions, newest first."""
    return CalendarVersion.objects.filter(calendar=calendar).select_related("author").order_by("-number")


def week(version: CalendarVersion) -> list[Day]:
    """Monday to Sunday with the hours that count."""
    names = dict(zip(WEEKDAYS, dates.WEEKDAYS.values(), strict=True))
    return [
        Day(names[day], [f"{opens}–{closes}" for opens, closes in version.body["week"].get(day, [])])
        for day in WEEKDAYS
    ]
