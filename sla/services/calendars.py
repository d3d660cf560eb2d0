"""Calendars change by new versions; clocks that run are recalculated by them, on record."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from sla.domain.calendars import CalendarError, WeeklyCalendar
from sla.models import Calendar, CalendarVersion, OwnHours
from smarketing.core import loops
from smarketing.core.changes import changed
from smarketing.core.errors import Denied, FieldError, Invalid, Stale
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User

MAX_HOLIDAYS = 1000


class CalendarInvalid(Invalid):
    """The calendar can't be used; the error names the part."""

    code = "calendar_invalid"


class CalendarChanged(Stale):
    """Somebody has published another version meanwhile."""


@transaction.atomic
def create(*, name: str, body: Mapping[str, Any], actor: User | None, now: datetime) -> Calendar:
    """Make a calendar with its first version. Raises CalendarInvalid."""
    name = name.strip()
    if not name:
        raise _invalid("name", "A calendar needs a name.")
    checked = check(body=body, now=now)
    try:
        with transaction.atomic():
            calendar = Calendar.objects.create(name=name, created_at=now, updated_at=now)
    except IntegrityError as error:
        raise _invalid("name", "There is a calendar of this name already.") from error
    _add_version(calendar, 1, checked, actor, now, before={})
    return calendar


@transaction.atomic
def publish_version(
    *,
    calendar: Calendar,
    body: Mapping[str, Any],
    actor: User | None,
    now: datetime,
    expected_number: int | None = None,
) -> CalendarVersion:
    """Publish a new version; clocks that run are counted anew by it shortly after. Equal content makes none.

    Raises CalendarInvalid, and CalendarChanged when ``expected_number`` is not the present one.
    """
    checked = check(body=body, now=now)
    Calendar.objects.select_for_update().get(pk=calendar.pk)
    present = CalendarVersion.objects.filter(calendar=calendar).order_by("-number").first()
    number = 0 if present is None else present.number
    if expected_number is not None and expected_number != number:
        raise CalendarChanged("Somebody has published another version. Look at it and change that one.")
    if present is not None and present.body == checked:
        return present
    before = {} if present is None else present.body
    loops.nudge("calendars")
    return _add_version(calendar, number + 1, checked, actor, now, before=before)


@transaction.atomic
def give(*, calendar: Calendar, user: User, actor: User, now: datetime) -> OwnHours:
    """Let the promises of ``user`` be counted by ``calendar`` from now on, whatever a clause says.

    Clocks that run keep theirs. Raises ``Denied``, CalendarInvalid for somebody who can own no leads.
    """
    _check_may(actor)
    if not User.objects.owners().filter(pk=user.pk).exists():
        raise _invalid("user", _("Choose an active sales rep or sales manager."))
    before = OwnHours.objects.select_for_update().filter(user=user).select_related("calendar").first()
    if before is not None and before.calendar_id == calendar.pk:
        return before
    made, _is_new = OwnHours.objects.update_or_create(
        user=user,
        defaults={"calendar": calendar, "author": actor, "updated_at": now},
        create_defaults={"calendar": calendar, "author": actor, "created_at": now, "updated_at": now},
    )
    changed(
        actor=actor,
        action="own_hours_set",
        obj=calendar,
        before={"user": user.pk, "calendar": before.calendar.name if before else None},
        after={"user": user.pk, "calendar": calendar.name},
        now=now,
    )
    return made


@transaction.atomic
def take_back(*, user: User, actor: User, now: datetime) -> bool:
    """Let clauses say again by which hours the promises of ``user`` are counted; whether that is new.

    Raises ``Denied``.
    """
    _check_may(actor)
    found = OwnHours.objects.select_for_update().filter(user=user).select_related("calendar").first()
    if found is None:
        return False
    changed(
        actor=actor,
        action="own_hours_set",
        obj=found.calendar,
        before={"user": user.pk, "calendar": found.calendar.name},
        after={"user": user.pk, "calendar": None},
        now=now,
    )
    found.delete()
    return True


def _check_may(actor: User) -> None:
    if not actor.may(Capability.EDIT_CALENDAR):
        raise Denied(_("Your role may not change by which hours promises are counted."))


def check(*, body: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The canonical form of a calendar's body. Raises CalendarInvalid with the path of what is wrong."""
    try:
        rules = WeeklyCalendar.from_json(body)
        if len(rules.holidays) > MAX_HOLIDAYS:
            raise CalendarError(f"At most {MAX_HOLIDAYS} holidays.", path="holidays")
        # It must open again, or no promise made from now on could ever be due.
        rules.next_opening(now)
    except CalendarError as error:
        raise _invalid(error.path or "week", error.detail) from error
    return rules.to_json()


def _add_version(
    calendar: Calendar,
    number: int,
    body: dict[str, Any],
    actor: User | None,
    now: datetime,
    *,
    before: Mapping[str, Any],
) -> CalendarVersion:
    version = CalendarVersion.objects.create(
        calendar=calendar, number=number, body=body, author=actor, created_at=now
    )
    changed(actor=actor, action="calendar_published", obj=calendar, before=before, after=body, now=now)
    return version


def _invalid(field: str, detail: str) -> CalendarInvalid:
    return CalendarInvalid(detail, errors=[FieldError(field, "invalid", detail)])
