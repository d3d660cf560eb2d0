"""What users ask to be told: made, changed, put to sleep, stopped. Only one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django.db import transaction
from django.db.models import CharField, F, Value
from django.db.models.functions import Cast, Concat
from django.utils.translation import gettext as _

from funnel.domain import alerts as rules
from funnel.domain.alerts import BadPattern, Subject, Trigger
from funnel.domain.drafts import PATH
from funnel.models import Alert, AlertDelivery, AlertHours, Stage
from leads.models import Company, Person
from smarketing.core.errors import Conflict, FieldError, Invalid, Missing
from smarketing.users.models import User
from smarketing.web.models import SavedView

MOST_PER_USER = 500
MOST_SEGMENTS_PER_USER = 20
MOST_CONDITIONS = 5
SHORTEST_WINDOW, LONGEST_WINDOW = 60, 90 * 86_400
LONGEST_SNOOZE = timedelta(days=366)


class BadAlert(Invalid):
    """An alert can't be kept as it is asked for; ``errors`` say what to mend. Nothing was changed."""

    code = "bad_alert"


class TooManyAlerts(Conflict):
    """The user has as many alerts as one can have."""

    code = "too_many_alerts"


class NoSuchAlert(Missing):
    """The alert is not the user's."""


@dataclass(frozen=True, slots=True)
class About:
    """Whom an alert is about: one of these, or with ``is_mine`` whoever's lead the user owns."""

    person: Person | None = None
    company: Company | None = None
    stage: Stage | None = None
    segment: SavedView | None = None
    is_mine: bool = False


@transaction.atomic
def create(
    *,
    user: User,
    about: About,
    trigger: str,
    pattern: str = "",
    name: str = "",
    conditions: Sequence[Mapping[str, Any]] = (),
    after_days: int | None = None,
    delivery: str = AlertDelivery.APP,
    repeat_after_seconds: int = 86_400,
    now: datetime,
) -> Alert:
    """Keep a wish to be told. Raises :class:`BadAlert` or :class:`TooManyAlerts`."""
    subject, key = _subject(about, user)
    wish = _wish(trigger, pattern, name, conditions, after_days, delivery, repeat_after_seconds)
    User.objects.select_for_update(no_key=True).get(pk=user.pk)  # two at once must not pass the limit
    running = Alert.objects.filter(user=user, stopped_at=None)
    if running.count() >= MOST_PER_USER or (
        subject is Subject.SEGMENT and running.filter(subject=subject).count() >= MOST_SEGMENTS_PER_USER
    ):
        raise TooManyAlerts(_("You have as many alerts as one can have. Stop some first."))
    return Alert.objects.create(
        user=user,
        subject=subject,
        subject_key=key,
        person=about.person,
        company=about.company,
        stage=about.stage,
        segment=about.segment,
        **wish,
        created_at=now,
        updated_at=now,
    )


@transaction.atomic
def change(*, alert: Alert, changes: Mapping[str, Any], actor: User, now: datetime) -> Alert:
    """Change what an alert waits for or how it is told. Raises :class:`BadAlert`, :class:`NoSuchAlert`."""
    _own(alert, actor)
    names = (
        "trigger",
        "pattern",
        "name",
        "conditions",
        "after_days",
        "delivery",
        "repeat_after_seconds",
    )
    given = {name: changes.get(name, getattr(alert, name)) for name in names}
    Alert.objects.filter(pk=alert.pk).update(**_wish(**given), updated_at=now, version=F("version") + 1)
    alert.refresh_from_db()
    return alert


@transaction.atomic
def snooze(*, alert: Alert, until: datetime | None, actor: User, now: datetime) -> Alert:
    """Tell nothing until then; ``None`` wakes it at once. Raises :class:`BadAlert`, :class:`NoSuchAlert`."""
    _own(alert, actor)
    if until is not None and not now < until <= now + LONGEST_SNOOZE:
        raise _bad("until", _("Choose a moment within the next year."))
    return _set(alert, now, snoozed_until=until)


@transaction.atomic
def stop(*, alert: Alert, actor: User, now: datetime) -> Alert:
    """Tell nothing any more; what was told stays. Raises :class:`NoSuchAlert`."""
    _own(alert, actor)
    return _set(alert, now, stopped_at=now)


@transaction.atomic
def resume(*, alert: Alert, actor: User, now: datetime) -> Alert:
    """Take back a stop or a snooze. Raises :class:`NoSuchAlert`."""
    _own(alert, actor)
    return _set(alert, now, stopped_at=None, snoozed_until=None)


@transaction.atomic
def set_hours(
    *, user: User, quiet_from: time | None, quiet_until: time | None, digest_at: time, now: datetime
) -> AlertHours:
    """When the user is left alone and when the digest comes. Raises :class:`BadAlert`."""
    if (quiet_from is None) != (quiet_until is None):
        field = "quiet_until" if quiet_until is None else "quiet_from"
        raise _bad(field, _("Quiet hours need a beginning and an end."))
    hours, _made = AlertHours.objects.update_or_create(
        user=user,
        defaults={"quiet_from": quiet_from, "quiet_until": quiet_until, "digest_at": digest_at},
    )
    return hours


@transaction.atomic(savepoint=False)
def follow_records(*, person_ids: Sequence[int] = (), company_ids: Sequence[int] = ()) -> int:
    """Alerts have moved with their records by a merge or its undoing: events find them there from now on."""
    key = Concat(F("subject"), Value(":"), Cast("person_id", CharField()), output_field=CharField())
    moved = Alert.objects.filter(subject=Subject.PERSON, person__in=person_ids).update(subject_key=key)
    key = Concat(F("subject"), Value(":"), Cast("company_id", CharField()), output_field=CharField())
    of_companies = Alert.objects.filter(subject=Subject.COMPANY, company__in=company_ids)
    return moved + of_companies.update(subject_key=key)


def _set(alert: Alert, now: datetime, **values: Any) -> Alert:
    Alert.objects.filter(pk=alert.pk).update(**values, updated_at=now, version=F("version") + 1)
    alert.refresh_from_db()
    return alert


def _own(alert: Alert, actor: User) -> None:
    if alert.user_id != actor.pk:
        raise NoSuchAlert(_("There is no such alert."))


def _subject(about: About, user: User) -> tuple[Subject, str]:
    parts: dict[Subject, Any] = {
        Subject.PERSON: about.person,
        Subject.COMPANY: about.company,
        Subject.STAGE: about.stage,
        Subject.SEGMENT: about.segment,
        Subject.MINE: user if about.is_mine else None,
    }
    given = [(subject, found) for subject, found in parts.items() if found is not None]
    if len(given) != 1:
        raise _bad("subject", _("Say whom the alert is about: exactly one of the choices."))
    subject, found = given[0]
    if subject is Subject.SEGMENT and found.page != "funnel:leads":
        raise _bad("segment", _("Choose a saved view of the leads list."))
    return subject, rules.subject_key(subject, found.pk)


def _wish(
    trigger: str,
    pattern: str,
    name: str,
    conditions: Sequence[Mapping[str, Any]],
    after_days: int | None,
    delivery: str,
    repeat_after_seconds: int,
) -> dict[str, Any]:
    """The checked columns of what an alert waits for; what its trigger does not ask for is left empty."""
    if trigger not in set(Trigger):
        raise _bad("trigger", _("Choose what the alert waits for."))
    if delivery not in AlertDelivery.values:
        raise _bad("delivery", _("Choose how you want to be told."))
    if not SHORTEST_WINDOW <= repeat_after_seconds <= LONGEST_WINDOW:
        raise _bad("repeat_after_seconds", _("Choose between one minute and 90 days."))
    kind = Trigger(trigger)
    pattern = _pattern(pattern) if kind is Trigger.PAGE else ""
    name = " ".join(name.split())
    if "\x00" in name or len(name) > 255:
        raise _bad("name", _("Write the name as the event has it, 255 characters at most."))
    if kind is Trigger.ACTION and not name:
        raise _bad("name", _("Write the name of the action, such as “Content Downloaded”."))
    if kind is Trigger.RETURN and not 1 <= (after_days or 0) <= 365:
        raise _bad("after_days", _("Say after how many days away, from 1 to 365."))
    name = name if kind in (Trigger.ACTION, Trigger.FORM) else ""
    return {
        "trigger": kind,
        "pattern": pattern,
        "name": name,
        "conditions": [] if kind is Trigger.RETURN else _conditions(conditions),
        "after_days": after_days if kind is Trigger.RETURN else None,
        "delivery": delivery,
        "repeat_after_seconds": repeat_after_seconds,
        "trigger_key": rules.key_of(kind, pattern=pattern, name=name),
    }


def _pattern(text: str) -> str:
    try:
        return rules.pattern_of(text)
    except BadPattern as error:
        raise _bad(
            "pattern",
            _("Write a page such as /pricing or /docs/*; at most 200 characters and four stars."),
        ) from error


def _conditions(given: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    if len(given) > MOST_CONDITIONS:
        raise _bad("conditions", _("Give at most five conditions."))
    return [_condition(number, condition) for number, condition in enumerate(given)]


def _condition(number: int, given: Mapping[str, Any]) -> dict[str, Any]:
    field, operator, value = str(given.get("property", "")), given.get("operator"), given.get("value")
    at = f"conditions.{number}"
    if not PATH.fullmatch(f"properties.{field}"):
        raise _bad(f"{at}.property", _("Write the property as the event has it, such as plan or cart.total."))
    if operator not in rules.OPERATORS:
        raise _bad(f"{at}.operator", _("Choose how the property is compared."))
    if operator in ("known", "unknown"):
        return {"property": field, "operator": operator}
    if isinstance(value, bool) or not isinstance(value, str | int | float) or value == "":
        raise _bad(f"{at}.value", _("Give a text or a number to compare with."))
    if operator in rules.NUMERIC:
        try:
            value = float(value)
        except ValueError as error:
            raise _bad(f"{at}.value", _("Give a number to compare with.")) from error
    if isinstance(value, int | float) and not abs(value) < 1e15:
        raise _bad(f"{at}.value", _("Give a smaller number."))
    if isinstance(value, str) and (len(value) > 255 or "\x00" in value):
        raise _bad(f"{at}.value", _("Give a shorter text to compare with."))
    return {"property": field, "operator": operator, "value": value}


def _bad(field: str, detail: str) -> BadAlert:
    return BadAlert(detail, errors=[FieldError(field, BadAlert.code, detail)])
