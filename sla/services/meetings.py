"""Meetings of the two teams: entered when they were held, taken back when that was a mistake."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from sla.models import TeamMeeting
from smarketing.core.changes import changed
from smarketing.core.errors import Conflict, Denied, FieldError, Invalid
from smarketing.notifications.services import outbox
from smarketing.users.domain.roles import Capability, Side
from smarketing.users.models import User

LONGEST = 2000
REACHES_BACK = timedelta(days=92)


class MeetingInvalid(Invalid):
    """A time that can't be, or a side that was not there."""


class MeetingKnown(Conflict):
    """Somebody has entered the meeting of that time."""


@transaction.atomic
def log(
    *, held_at: datetime, attendees: Collection[User], note: str, actor: User, now: datetime
) -> TeamMeeting:
    """Enter a meeting that somebody of each side attended, at most a quarter ago.

    Raises ``Denied``, ``MeetingInvalid``, ``MeetingKnown``.
    """
    _may(actor)
    held_at = held_at.replace(second=0, microsecond=0)
    _check(held_at, attendees, note, now)
    try:
        with transaction.atomic():
            made = TeamMeeting.objects.create(
                held_at=held_at, note=note.strip(), recorded_by=actor, recorded_at=now
            )
    except IntegrityError as error:
        raise MeetingKnown(_("The meeting of that time is entered already.")) from error
    made.attendees.set(attendees)
    after = {"held_at": held_at.isoformat(), "attendees": sorted(user.pk for user in attendees)}
    changed(actor=actor, action="meeting_logged", obj=made, now=now, after=after)
    outbox.put(
        topic="meeting.logged",
        payload={"meeting_id": made.pk, **after, "recorded_by_id": actor.pk},
        dedupe_key=f"meeting:{made.pk}",
        now=now,
    )
    return made


@transaction.atomic
def void(*, meeting: TeamMeeting, reason: str, actor: User, now: datetime) -> TeamMeeting:
    """Take an entry back: it counts no more and stays to be seen. Twice is once.

    Raises ``Denied``, ``MeetingInvalid`` without a reason.
    """
    _may(actor)
    reason = " ".join(reason.split())[:300]
    if not reason:
        detail = _("Say why it does not count.")
        raise MeetingInvalid(detail, errors=[FieldError("reason", "required", detail)])
    locked = TeamMeeting.objects.select_for_update().get(pk=meeting.pk)
    if locked.voided_at is not None:
        return locked
    locked.voided_at, locked.voided_by, locked.void_reason = now, actor, reason
    locked.save(update_fields=["voided_at", "voided_by", "void_reason"])
    changed(actor=actor, action="meeting_voided", obj=locked, now=now, after={"reason": reason})
    return locked


def _may(actor: User) -> None:
    if not actor.may(Capability.LOG_ACTIVITY):
        raise Denied(_("Only colleagues of the two teams enter their meetings."))


def _check(held_at: datetime, attendees: Collection[User], note: str, now: datetime) -> None:
    errors = []
    if held_at > now:
        errors.append(FieldError("held_at", "in_the_future", _("Enter a meeting once it was held.")))
    elif held_at < now - REACHES_BACK:
        errors.append(FieldError("held_at", "too_old", _("That is more than a quarter ago.")))
    sides = {user.side for user in attendees}
    if not {Side.MARKETING, Side.SALES} <= sides:
        detail = _("A meeting of the two teams needs somebody of marketing and somebody of sales.")
        errors.append(FieldError("attendees", "side_missing", detail))
    if len(note) > LONGEST or "\x00" in note:
        detail = _("Write at most %(most)s characters.") % {"most": LONGEST}
        errors.append(FieldError("note", "too_long", detail))
    if errors:
        raise MeetingInvalid(_("The meeting can't be entered like this."), errors=errors)
