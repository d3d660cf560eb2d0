"""Absences: who is away from when to when, and so gets no leads."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from funnel.models import Absence
from funnel.services import owners
from smarketing.core.changes import changed
from smarketing.core.errors import Denied, FieldError, Invalid
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User

LONGEST_NOTE = 200


class AbsenceNotAllowed(Denied):
    """One's own absence is one's own to tell; that of others is a manager's."""

    code = "absence_not_allowed"


class BadAbsence(Invalid):
    """An absence ends after it starts, and its note is short."""

    code = "bad_absence"


@transaction.atomic
def add(
    *,
    user: User,
    starts_at: datetime,
    ends_at: datetime | None = None,
    note: str = "",
    actor: User,
    now: datetime,
) -> Absence:
    """``user`` is away for the stretch; without an end until somebody says so.

    Raises :class:`AbsenceNotAllowed`, :class:`BadAbsence`, ``NotAnOwner``.
    """
    _check_may(user.pk, actor)
    owners.check(owner=user)
    note = _check(starts_at, ends_at, note)
    absence = Absence.objects.create(
        user=user, starts_at=starts_at, ends_at=ends_at, note=note, author=actor, created_at=now
    )
    changed(actor=actor, action="absence_added", obj=absence, before={}, after=_as_json(absence), now=now)
    return absence


@transaction.atomic
def change(
    *,
    absence: Absence,
    starts_at: datetime,
    ends_at: datetime | None,
    note: str = "",
    actor: User,
    now: datetime,
) -> Absence:
    """Change when somebody is away. Raises :class:`AbsenceNotAllowed`, :class:`BadAbsence`."""
    _check_may(absence.user_id, actor)
    before = _as_json(absence)
    absence.note = _check(starts_at, ends_at, note)
    absence.starts_at, absence.ends_at = starts_at, ends_at
    absence.save(update_fields=["starts_at", "ends_at", "note"])
    changed(
        actor=actor, action="absence_changed", obj=absence, before=before, after=_as_json(absence), now=now
    )
    return absence


@transaction.atomic
def remove(*, absence: Absence, actor: User, now: datetime) -> None:
    """It was none: they are back, or never went. Raises :class:`AbsenceNotAllowed`."""
    _check_may(absence.user_id, actor)
    changed(actor=actor, action="absence_removed", obj=absence, before=_as_json(absence), after={}, now=now)
    absence.delete()


def _check_may(user_id: int, actor: User) -> None:
    own = user_id == actor.pk and actor.may(Capability.ANSWER_OWN_HANDOFF)
    if not own and not actor.may(Capability.CHANGE_OWNER):
        raise AbsenceNotAllowed(_("Only a manager can say that somebody else is away."))


def _check(starts_at: datetime, ends_at: datetime | None, note: str) -> str:
    note = note.strip()
    if ends_at is not None and ends_at <= starts_at:
        detail = _("The absence must end after it starts.")
        raise BadAbsence(detail, errors=[FieldError("ends_at", "order", detail)])
    if len(note) > LONGEST_NOTE or "\x00" in note:
        detail = _("Write at most %(most)s characters.") % {"most": LONGEST_NOTE}
        raise BadAbsence(detail, errors=[FieldError("note", BadAbsence.code, detail)])
    return note


def _as_json(absence: Absence) -> dict[str, object]:
    return {
        "user": absence.user_id,
        "starts_at": absence.starts_at.isoformat(),
        "ends_at": absence.ends_at.isoformat() if absence.ends_at else None,
        "note": absence.note,
    }
