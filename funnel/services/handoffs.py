"""Delivering a lead to sales and sales' answer (N4): each is one transaction, whole or not at all.

An answer is a conditional UPDATE on state and version, so of two at once exactly one wins (I-19).
Locks are taken in one order: the handoff when it is answered, the lead's state, then the ring.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from funnel.domain import handoffs as rules
from funnel.domain.handoffs import ReasonRefused
from funnel.events import (
    HandoffAccepted,
    HandoffExpired,
    HandoffExplained,
    HandoffReopened,
    HandoffReturned,
)
from funnel.models import (
    Appeal,
    Handoff,
    HandoffState,
    LeadState,
    MoveCause,
    Opportunity,
    OpportunityStageKind,
)
from funnel.services import delivery, lifecycle, owners, qualifications
from smarketing.core import events, locks
from smarketing.core.errors import Conflict, Denied, FieldError, Invalid, Stale
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User

UNDO_WINDOW = timedelta(seconds=10)
LONGEST_NOTE = 2000
_RETURNED = frozenset({HandoffState.RETURNED, HandoffState.UPHELD, HandoffState.OVERTURNED})
deliver = delivery.deliver  # one noun for callers: handoffs.deliver, accept, return_, …


class AnswerNotAllowed(Denied):
    """A handoff is answered by its owner or a sales manager."""

    code = "answer_not_allowed"


class AlreadyAnswered(Conflict):
    """The handoff no longer waits for an answer."""

    code = "already_answered"


class HandoffChanged(Stale):
    """Somebody else changed the handoff since it was read."""


class ReturnNotPossible(Invalid):
    """A return names its reason, and for some reasons what is wrong."""

    code = "return_not_possible"


class DealIsOpen(Conflict):
    """A lead with an open opportunity is in work; it can't be returned."""

    code = "deal_is_open"


class UndoNotPossible(Conflict):
    """The answer stands: too long ago, or the lead has moved on."""

    code = "undo_not_possible"


@transaction.atomic
def accept(*, handoff: Handoff, actor: User, now: datetime, expected_version: int | None = None) -> Handoff:
    """Sales takes the lead; with need and budget recorded it becomes an SQL at once.

    Raises :class:`AnswerNotAllowed`, :class:`HandoffChanged`, :class:`AlreadyAnswered`.
    """
    _check_may_answer(handoff, actor)
    answered = _answer(handoff, HandoffState.ACCEPTED, actor=actor, at=now, version=expected_version, now=now)
    owner = _owner_id(answered)
    events.publish(HandoffAccepted(answered.pk, answered.lead_id, owner, actor.pk, now, now))
    qualifications.advance(lead=answered.lead, actor=actor, now=now)
    return answered


@transaction.atomic
def return_(
    *,
    handoff: Handoff,
    reason: str,
    note: str = "",
    actor: User,
    now: datetime,
    expected_version: int | None = None,
) -> Handoff:
    """Sales gives the lead back; the reason says where it goes: nurture, recycled or disqualified.

    Raises :class:`AnswerNotAllowed`, :class:`ReturnNotPossible`, :class:`DealIsOpen`,
    :class:`HandoffChanged`, :class:`AlreadyAnswered`.
    """
    _check_may_answer(handoff, actor)
    try:
        why = rules.check_return(reason, note)
    except ReasonRefused as refused:
        error = FieldError(refused.field, refused.code, refused.detail)
        raise ReturnNotPossible(refused.detail, errors=[error]) from refused
    answered = _answer(
        handoff,
        HandoffState.RETURNED,
        actor=actor,
        at=now,
        version=expected_version,
        now=now,
        return_reason=why.code,
        return_note=note.strip(),
    )
    lifecycle.lock_laps(lead_ids=[answered.lead_id])
    open_deals = Opportunity.objects.filter(lead_id=answered.lead_id, stage__kind=OpportunityStageKind.OPEN)
    if open_deals.exists():
        raise DealIsOpen(_("This lead has an open opportunity. Close that first."))
    owner = _owner_id(answered)
    owners.assign(lead=answered.lead, owner=None, reason="returned", actor=actor, now=now)
    lifecycle.move(
        lead=answered.lead,
        to=why.next_stage,
        cause=MoveCause.RETURNED,
        reason=answered.get_return_reason_display(),
        actor=actor,
        at=now,
        now=now,
    )
    events.publish(HandoffReturned(answered.pk, answered.lead_id, owner, actor.pk, why.code, now, now))
    return answered


@transaction.atomic
def explain(*, handoff: Handoff, note: str, actor: User, now: datetime) -> Handoff:
    """Say afterwards what was wrong with a returned lead; what was said once is not rewritten.

    Raises :class:`AnswerNotAllowed`, :class:`ReturnNotPossible`, :class:`AlreadyAnswered`.
    """
    _check_may_answer(handoff, actor)
    note = note.strip()
    if not note or len(note) > LONGEST_NOTE or "\x00" in note:
        detail = _("Say in a sentence what marketing should know.")
        raise ReturnNotPossible(detail, errors=[FieldError("note", "required", detail)])
    (current,) = locks.rows(Handoff.objects.select_related("lead", "owner"), [handoff.pk])
    if current.state not in _RETURNED or current.return_note:
        raise AlreadyAnswered(_("This return is explained already, or the lead was not returned."))
    current.return_note, current.version, current.updated_at = note, current.version + 1, now
    current.save(update_fields=["return_note", "version", "updated_at"])
    events.publish(HandoffExplained(current.pk, current.lead_id, actor.pk, now, now))
    return current


@transaction.atomic
def expire(*, handoff: Handoff, at: datetime, now: datetime) -> bool:
    """Nobody answered in time: the handoff ends and marketing may deliver the lead again.

    The lead stays an MQL without an owner. Says whether it expired; one that was answered meanwhile
    is left alone.
    """
    changed = Handoff.objects.filter(pk=handoff.pk, state=HandoffState.DELIVERED).update(
        state=HandoffState.EXPIRED, answered_at=at, version=F("version") + 1, updated_at=now
    )
    if not changed:
        return False
    handoff.refresh_from_db()
    owners.assign(lead=handoff.lead, owner=None, reason="expired", actor=None, now=now)
    events.publish(HandoffExpired(handoff.pk, handoff.lead_id, _owner_id(handoff), at, now))
    return True


@transaction.atomic
def undo(*, handoff: Handoff, actor: User, now: datetime) -> Handoff:
    """Take an answer back, within ten seconds: the handoff waits again, the lead is where it was.

    Only who answered may. Raises :class:`AnswerNotAllowed`, :class:`UndoNotPossible`.
    """
    (current,) = locks.rows(Handoff.objects.select_related("lead", "owner"), [handoff.pk])
    if current.answered_by_id != actor.pk or not actor.is_active:
        raise AnswerNotAllowed(_("Only who answered can take the answer back."))
    undone = current.state
    late = current.answered_at is None or now - current.answered_at > UNDO_WINDOW
    contested = Appeal.objects.filter(handoff=current).exists()
    if undone not in (HandoffState.ACCEPTED, HandoffState.RETURNED) or late or contested:
        raise UndoNotPossible(_("The answer can only be taken back within ten seconds."))
    state = lifecycle.lock_laps(lead_ids=[current.lead_id])[current.lead_id]
    _restore(current, state, actor=actor, now=now)
    current.state = HandoffState.DELIVERED
    current.answered_at, current.answered_by = None, None
    current.return_reason, current.return_note = "", ""
    current.version, current.updated_at = current.version + 1, now
    current.save(
        update_fields=[
            "state", "answered_at", "answered_by", "return_reason", "return_note", "version", "updated_at",
        ]
    )  # fmt: skip
    events.publish(HandoffReopened(current.pk, current.lead_id, _owner_id(current), undone, actor.pk, now))
    return current


@transaction.atomic
def reassign(*, handoff: Handoff, owner: User, actor: User, now: datetime) -> Handoff:
    """Give a handoff that waits, and its lead, to another owner; clocks go on or not as sla says.

    Raises ``OwnerChangeNotAllowed``, ``NotAnOwner``, :class:`AlreadyAnswered`.
    """
    owners.assign(lead=handoff.lead, owner=owner, reason=owners.BY_HAND, actor=actor, now=now)
    handoff.refresh_from_db()
    if handoff.state != HandoffState.DELIVERED:
        raise _answered(handoff)
    return handoff


def _check_may_answer(handoff: Handoff, actor: User) -> None:
    own = handoff.owner_id == actor.pk and actor.may(Capability.ANSWER_OWN_HANDOFF)
    if not own and not actor.may(Capability.ANSWER_ANY_HANDOFF):
        raise AnswerNotAllowed(_("Only the owner or a sales manager can answer this handoff."))


def _answer(
    handoff: Handoff,
    to: HandoffState,
    *,
    actor: User,
    at: datetime,
    version: int | None,
    now: datetime,
    **values: str,
) -> Handoff:
    """The conditional update; 0 rows say that somebody was first."""
    waiting = Handoff.objects.filter(pk=handoff.pk, state=HandoffState.DELIVERED, owner_id=handoff.owner_id)
    if version is not None:
        waiting = waiting.filter(version=version)
    changed = waiting.update(
        state=to, answered_at=at, answered_by=actor, version=F("version") + 1, updated_at=now, **values
    )
    current = Handoff.objects.select_related("lead", "owner", "answered_by").get(pk=handoff.pk)
    if changed:
        return current
    if current.state != HandoffState.DELIVERED:
        raise _answered(current)
    raise HandoffChanged(_("Somebody else changed this handoff first. Look at it again."))


def _answered(handoff: Handoff) -> AlreadyAnswered:
    state = str(HandoffState(handoff.state).label).lower()
    return AlreadyAnswered(_("This handoff is %(state)s; it waits for no answer.") % {"state": state})


def _restore(handoff: Handoff, state: LeadState, *, actor: User, now: datetime) -> None:
    """Put stage and owner back as they were before the answer."""
    expected = {"mql", "sql"}
    if handoff.state == HandoffState.RETURNED:
        expected = {rules.RETURN_REASONS[handoff.return_reason].next_stage}
    if state.stage.counts_as not in expected:
        raise UndoNotPossible(_("The lead has moved on since; the answer stands."))
    later = Handoff.objects.filter(lead_id=handoff.lead_id, pk__gt=handoff.pk)
    if later.exists():
        raise UndoNotPossible(_("The lead was delivered again since; the answer stands."))
    if state.stage.counts_as != "mql":
        lifecycle.move(
            lead=handoff.lead,
            to="mql",
            cause=MoveCause.CORRECTION,
            reason=_("Answer taken back"),
            actor=actor,
            at=now,
            now=now,
            reopen=True,
        )
    owners.assign(lead=handoff.lead, owner=handoff.owner, reason="undone", actor=actor, now=now)


def _owner_id(handoff: Handoff) -> int:
    if handoff.owner_id is None:
        raise AssertionError("a delivered handoff has an owner (constraint)")
    return handoff.owner_id
