"""Setting a lead aside for a while, and taking it up again. No clock stops for it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from funnel.models import Handoff, HandoffState
from sla.domain import snoozes as rules
from sla.models import Snooze
from sla.selectors import queue
from smarketing.core import locks
from smarketing.core.errors import Conflict, Denied, FieldError, Invalid
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User

_WAITING = (HandoffState.DELIVERED, HandoffState.ACCEPTED)


class SnoozeNotPossible(Invalid):
    """A snooze has a reason and an end within thirty days."""

    code = "snooze_not_possible"


class NothingToSnooze(Conflict):
    """The lead is no longer in anybody's hands."""

    code = "nothing_to_snooze"


class NotSnoozed(Conflict):
    """The lead is not set aside."""

    code = "not_snoozed"


class SnoozeOfAnother(Denied):
    """Only its owner or a sales manager sets a lead aside."""

    code = "snooze_of_another"


@transaction.atomic
def snooze(*, handoff: Handoff, until: datetime, reason: str, actor: User, now: datetime) -> Snooze:
    """Set a lead aside until ``until``; an earlier snooze of it ends. Locks the handoff.

    Raises :class:`SnoozeOfAnother`, :class:`SnoozeNotPossible`, :class:`NothingToSnooze`.
    """
    reason = " ".join(reason.split())
    _check(until, reason, now)
    locked = _lock(handoff, actor)
    owner = queue.responsible(locked)
    if locked.state not in _WAITING or owner is None:
        raise NothingToSnooze(_("This lead waits for nobody any more."))
    _end(locked, now)
    return Snooze.objects.create(handoff=locked, owner=owner, until=until, reason=reason, created_at=now)


@transaction.atomic
def wake(*, handoff: Handoff, actor: User, now: datetime) -> Handoff:
    """Take a lead up again before the end. Raises :class:`SnoozeOfAnother`, :class:`NotSnoozed`."""
    locked = _lock(handoff, actor)
    if not _end(locked, now):
        raise NotSnoozed(_("This lead is not set aside."))
    return locked


def _lock(handoff: Handoff, actor: User) -> Handoff:
    """The handoff, locked and read again, so that of two at once the later one ends the former."""
    (locked,) = locks.rows(Handoff.objects.select_related("lead", "owner"), [handoff.pk])
    owner = queue.responsible(locked)
    own = owner is not None and owner.pk == actor.pk and actor.may(Capability.ANSWER_OWN_HANDOFF)
    if not own and not actor.may(Capability.ANSWER_ANY_HANDOFF):
        raise SnoozeOfAnother(_("This lead was handed to another rep."))
    return locked


def _end(handoff: Handoff, now: datetime) -> bool:
    """End what is open; say whether it still had time to run."""
    found = Snooze.objects.filter(handoff=handoff, ended_at=None)
    ran = found.filter(until__gt=now).exists()
    found.update(ended_at=now)
    return ran


def _check(until: datetime, reason: str, now: datetime) -> None:
    errors = []
    fault = rules.NO_REASON if until.tzinfo is None else rules.fault_of_until(until, now=now)
    if fault:
        details = {
            rules.PAST: _("Choose a time that is still to come."),
            rules.TOO_FAR: _("Choose a time within the next 30 days. Return a lead that is not ready yet."),
            rules.NO_REASON: _("Give the time with its zone."),
        }
        errors.append(FieldError("until", fault, details[fault]))
    if not reason or len(reason) > rules.LONGEST_REASON or "\x00" in reason:
        errors.append(
            FieldError("reason", rules.NO_REASON, _("Say in a few words why it waits, at most 200 letters."))
        )
    if errors:
        raise SnoozeNotPossible(errors[0].detail, errors=errors)
