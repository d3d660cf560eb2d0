"""Business calendars: who may sees the hours, who may changes them, and what a deadline would be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from sla import access
from sla.domain import metrics
from sla.domain.calendars import CalendarError, WeeklyCalendar
from sla.forms.calendars import (
    CalendarForm,
    NewCalendarForm,
    OwnHoursForm,
    PublicHolidaysForm,
    initial,
    lines,
    merged,
)
from sla.models import Calendar
from sla.selectors import calendars as read
from sla.selectors import hours, promised, public_holidays
from sla.services import calendars
from smarketing.core.errors import DomainError
from smarketing.users.domain.roles import Capability
from smarketing.web import rendering
from smarketing.web.forms import refusals
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast

DEFAULT_TARGET = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Example:
    """When a lead delivered at an instant would be due."""

    delivered_at: datetime
    due_at: datetime


@page(capability=Capability.VIEW)
def default(request: Request) -> HttpResponse:
    """The calendar that clauses use unless they say otherwise."""
    return _show(request, read.default())


@page(capability=Capability.VIEW)
def show(request: Request, pk: int) -> HttpResponse:
    """One calendar: its hours, the holidays ahead, its versions, and the form for those who may."""
    return _show(request, access.calendar(request.user, pk))


@page(capability=Capability.EDIT_CALENDAR, methods=["POST"])
def publish(request: Request, pk: int) -> HttpResponse:
    """Save a new version, or add public holidays to the form first."""
    calendar = access.calendar(request.user, pk)
    form = CalendarForm(request.POST)
    if not form.is_valid():
        return _show(request, calendar, form, status=422)
    if "add" in request.POST:
        return _with_public_holidays(request, calendar, form)
    try:
        version = calendars.publish_version(
            calendar=calendar,
            body=form.body(),
            actor=request.user,
            now=request.now,
            expected_number=form.cleaned_data["number"],
        )
    except DomainError as error:
        form.refuse(error)
        return _show(request, calendar, form, status=error.status)
    toast = Toast(_("Version %(n)d applies to clocks that start from now on.") % {"n": version.number}, "ok")
    return _to(request, calendar, toast)


@page(capability=Capability.EDIT_CALENDAR, methods=["POST"])
def preview(request: Request) -> HttpResponse:
    """What deadlines the hours in the form would give, before they are saved."""
    form = CalendarForm(request.POST)
    context: dict[str, Any] = {"examples": [], "problem": ""}
    if form.is_valid():
        try:
            body = calendars.check(body=form.body(), now=request.now)
            context["examples"] = _examples(body, request.now)
        except DomainError as error:
            context["problem"] = error.detail
    else:
        context["problem"] = _("The hours can't be read yet.")
    return rendering.fragment(request, "sla/_calendar_preview.html", context)


@page(capability=Capability.EDIT_CALENDAR, methods=["POST"])
def create(request: Request) -> HttpResponse:
    """A further calendar, as a copy of the default one."""
    form = NewCalendarForm(request.POST)
    if form.is_valid():
        body = read.present(read.default()).body
        try:
            made = calendars.create(
                name=form.cleaned_data["name"], body=body, actor=request.user, now=request.now
            )
        except DomainError as error:
            refusals.add_error(form, error)
        else:
            return _to(request, made, Toast(_("Calendar added. Set its hours."), "ok"))
    return _show(request, read.default(), new_form=form, status=422)


@page(capability=Capability.EDIT_CALENDAR, methods=["POST"])
def give(request: Request, pk: int) -> HttpResponse:
    """Let a rep's promises be counted by this calendar alone."""
    calendar = access.calendar(request.user, pk)
    form = OwnHoursForm(request.POST)
    if form.is_valid():
        user = form.cleaned_data["user"]
        try:
            calendars.give(calendar=calendar, user=user, actor=request.user, now=request.now)
        except DomainError as error:
            refusals.add_error(form, error)
        else:
            words = {"name": user.name, "calendar": calendar.name}
            told = _("Promises of %(name)s that start from now on are counted by “%(calendar)s”.") % words
            return _to(request, calendar, Toast(told, "ok"))
    return _show(request, calendar, people_form=form, status=422)


@page(capability=Capability.EDIT_CALENDAR, methods=["POST"])
def take_back(request: Request, pk: int, user: int) -> HttpResponse:
    """Let clauses say again by which hours a rep's promises are counted."""
    calendar, person = access.person_of_calendar(request.user, pk, user)
    calendars.take_back(user=person, actor=request.user, now=request.now)
    told = _("Clauses say again by which hours promises of %(name)s are counted.") % {"name": person.name}
    return _to(request, calendar, Toast(told, "ok"))


def _show(
    request: Request,
    calendar: Calendar,
    form: CalendarForm | None = None,
    *,
    new_form: NewCalendarForm | None = None,
    holidays_form: PublicHolidaysForm | None = None,
    people_form: OwnHoursForm | None = None,
    status: int = 200,
) -> HttpResponse:
    version = read.present(calendar)
    rules = WeeklyCalendar.from_json(version.body)
    today = request.now.date()
    context = {
        "calendar": calendar,
        "version": version,
        "week": read.week(version),
        "upcoming": [h for h in rules.holidays if h.day >= today][:12],
        "versions": read.versions(calendar),
        "calendars": read.everything(),
        "examples": _examples(version.body, request.now),
        "may_edit": request.user.may(Capability.EDIT_CALENDAR),
        "form": form or CalendarForm(initial=initial(version.body, version.number)),
        "holidays_form": holidays_form or PublicHolidaysForm(initial={"year": today.year}),
        "people": hours.people_of(calendar),
        "people_form": people_form or OwnHoursForm(),
        "new_form": new_form or NewCalendarForm(),
    }
    return rendering.page(request, "sla/calendar.html", context, status=status)


def _with_public_holidays(request: Request, calendar: Calendar, form: CalendarForm) -> HttpResponse:
    """The form again, with the public holidays of a place and year among its lines; nothing is saved."""
    place = PublicHolidaysForm(request.POST)
    body = form.body()
    if place.is_valid():
        values = place.cleaned_data
        try:
            found = public_holidays.of_country(
                values["country"], region=values["region"].upper(), year=values["year"]
            )
        except DomainError as error:
            refusals.add_error(place, error)
        else:
            data = request.POST.copy()
            data["holidays"] = lines(merged(body["holidays"], found))
            return _show(request, calendar, CalendarForm(data), holidays_form=place)
    return _show(request, calendar, form, holidays_form=place, status=422)


def _examples(body: dict[str, Any], now: datetime) -> list[Example]:
    """Deliveries at telling instants and when their first response would be due."""
    promises = promised.in_time(of=[metrics.FIRST_RESPONSE])
    target = promises[0].target if promises else DEFAULT_TARGET
    rules = WeeklyCalendar.from_json(body)
    friday = now + timedelta(days=(4 - now.weekday()) % 7)
    telling = [now, friday.replace(hour=17, minute=0, second=0, microsecond=0)]
    telling.append(telling[1].replace(hour=15) + timedelta(days=1))
    examples = []
    for instant in telling:
        try:
            examples.append(Example(instant, rules.add(instant, target)))
        except CalendarError:
            continue
    return examples


def _to(request: Request, calendar: Calendar, toast: Toast) -> HttpResponse:
    return rendering.redirect(request, reverse("sla:calendar_show", args=[calendar.pk]), toast=toast)
