"""What happens to a clock: it starts, stops, pauses, goes on, is cancelled, gets another owner.

Every action first closes the books: thresholds strictly before the action's own instant fire, and what
they cause (an expiry) happens, before the action is looked at. The sweep does nothing else. Therefore
the result does not depend on when sweeps ran.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction

from funnel.models import Handoff, HandoffState
from funnel.services import handoffs
from sla.domain import clocks as rules
from sla.domain.ladders import EXPIRE
from sla.models import Clock, ClockAction, ClockKind, ClockState
from sla.selectors import clock_rows, pausing, promised
from sla.services import books, starts
from sla.services.books import ClockRefused, Deed
from smarketing.core.errors import Conflict, FieldError, Invalid
from smarketing.users.models import User

PAUSE_OVER = "The time it may wait is used up."
# Breached clocks that ended by a return, an expiry or a change of owner keep this state with an end.
STOPPABLE_AFTER_END = frozenset({ClockState.CANCELLED, ClockState.BREACHED_OPEN})


class InTheFuture(Invalid):
    """An action can't be dated after the present."""


class HandoffHasExpired(Conflict):
    """The answer came after the time for it had run out."""

    code = "handoff_expired"


@transaction.atomic
def stop(*, clock: Clock, at: datetime, actor: User | None, now: datetime, reason: str = "") -> Clock:
    """The promised thing happened at ``at``, which may lie before the moment it was recorded.

    If it happened in time although the breach has fired since, the breach is voided, visibly. An attempt
    that came before a recorded end (a return logged earlier, a later call) counts from its own time.
    Raises ClockRefused (before the start, after the end) and InTheFuture.
    """
    _not_in_the_future(at, now)
    (locked,) = books.lock(clock_ids=[clock.pk])
    _close(locked, at, now)
    state = clock_rows.state_of(locked)
    if state.ended_at is not None:
        state = _before_its_end(locked, state, at)
    outcome = _refusing(lambda: rules.stop(state, at))
    if outcome.voided and not reason:
        reason = "Happened in time and was logged later."
    books.enter(clock=locked, outcome=outcome, deed=Deed("stop", at, now, actor, reason))
    return locked


@transaction.atomic
def cancel(*, clock: Clock, at: datetime, actor: User | None, reason: str, now: datetime) -> Clock:
    """The promise no longer applies. After a breach the clock ends and stays breached.

    Raises ClockRefused and InTheFuture.
    """
    _not_in_the_future(at, now)
    (locked,) = books.lock(clock_ids=[clock.pk])
    _close(locked, at, now)
    outcome = _refusing(lambda: rules.cancel(clock_rows.state_of(locked), at))
    books.enter(clock=locked, outcome=outcome, deed=Deed("cancel", at, now, actor, reason))
    return locked


@transaction.atomic
def pause(*, clock: Clock, at: datetime, actor: User | None, reason: str, now: datetime) -> Clock:
    """Hold a running clock for a reason that everybody can read, for as long as its clause allows per lead.

    It goes on by itself when that time is used up. Raises ClockRefused, Invalid.
    """
    if not reason.strip():
        raise Invalid(
            "A pause needs a reason.",
            errors=[FieldError("reason", "required", "Say why the clock should wait.")],
        )
    _not_in_the_future(at, now)
    (locked,) = books.lock(clock_ids=[clock.pk])
    _close(locked, at, now)
    calendar = clock_rows.calendar_of(locked.calendar_version)
    state = clock_rows.state_of(locked)
    left = pausing.left_to(locked, at=at)
    if state.status is rules.Status.RUNNING and left <= timedelta(0):
        raise ClockRefused("The time that this promise may wait is used up.", code="pause_used_up")
    outcome = _refusing(lambda: rules.pause(state, at, calendar, at_most=left))
    books.enter(clock=locked, outcome=outcome, deed=Deed("pause", at, now, actor, reason.strip()))
    return locked


@transaction.atomic
def resume(*, clock: Clock, at: datetime, actor: User | None, now: datetime, reason: str = "") -> Clock:
    """Go on after a pause with the open time that was left. Raises ClockRefused, InTheFuture."""
    _not_in_the_future(at, now)
    (locked,) = books.lock(clock_ids=[clock.pk])
    _close(locked, at, now)
    calendar = clock_rows.calendar_of(locked.calendar_version)
    outcome = _refusing(lambda: rules.resume(clock_rows.state_of(locked), at, calendar))
    books.enter(clock=locked, outcome=outcome, deed=Deed("resume", at, now, actor, reason))
    return locked


@transaction.atomic
def reopen(*, clock: Clock, actor: User | None, reason: str, now: datetime) -> Clock:
    """Take an end back: the clock is as if it had not ended, books closed to now.

    Raises ClockRefused when the last thing that happened to the clock is not its end.
    """
    (locked,) = books.lock(clock_ids=[clock.pk])
    last = locked.actions.order_by("-pk").first()
    if last is None or last.verb not in ("cancel", "stop") or locked.ended_at is None:
        raise ClockRefused("This clock was not cancelled.", code="not_cancelled")
    books.enter(
        clock=locked,
        outcome=rules.Outcome(_as_before(locked, last)),
        deed=Deed("reopen", now, now, actor, reason),
    )
    _close(locked, now, now)
    return locked


@transaction.atomic
def withdraw(*, clock: Clock, actor: User | None, reason: str, now: datetime) -> Clock:
    """What began this clock did not happen after all: it leaves the statistics, also when it had ended."""
    (locked,) = books.lock(clock_ids=[clock.pk])
    state = clock_rows.state_of(locked)
    ended_at = state.ended_at or max(now, state.started_at)
    gone = replace(
        state,
        status=rules.Status.CANCELLED,
        due_at=rules.breach_of(state.thresholds).at,
        paused_at=None,
        remaining=None,
        resumes_at=None,
        ended_at=ended_at,
    )
    outcome = rules.Outcome(gone, voided=state.thresholds[: state.fired])
    books.enter(clock=locked, outcome=outcome, deed=Deed("withdraw", now, now, actor, reason))
    return locked


@transaction.atomic
def hand_over(*, clock: Clock, owner: User, at: datetime, actor: User | None, now: datetime) -> Clock:
    """The lead has another owner.

    A promise that still runs goes on for the new owner with its deadline: moving a lead buys no time.
    A broken one ends as the former owner's breach, and the new owner gets a clock of their own.
    Returns the clock that runs now.
    """
    (locked,) = books.lock(clock_ids=[clock.pk])
    _close(locked, at, now)
    state = clock_rows.state_of(locked)
    if not state.is_open or locked.owner_id == owner.pk:
        return locked
    deed = Deed("reassign", at, now, actor, f"Owner is now {owner.name}.")
    if state.status is not rules.Status.BREACHED_OPEN:
        locked.owner = owner
        books.enter(clock=locked, outcome=rules.Outcome(state), deed=deed)
        return locked
    books.enter(clock=locked, outcome=rules.cancel(state, at), deed=replace(deed, verb="cancel"))
    target = timedelta(seconds=locked.target_seconds)
    promise = promised.again(locked.clause, owner_id=owner.pk, target=target)
    (fresh,) = starts.start_all(
        handoff_id=locked.handoff_id,
        owner_id=owner.pk,
        promises=[promise],
        at=at,
        now=now,
        cycle=locked.cycle + 1,
    )
    return fresh


@transaction.atomic
def close_books(*, clocks: Sequence[Clock], at: datetime, now: datetime) -> list[Clock]:
    """Fire everything strictly before ``at`` on these clocks, as a sweep at that instant would."""
    locked = books.lock(clock_ids=[c.pk for c in clocks])
    for clock in locked:
        _close(clock, at, now)
    return locked


def expire_handoff(*, handoff_id: int, at: datetime, now: datetime) -> bool:
    """The last level of a clock was reached: an unanswered handoff expires. Say whether it did."""
    handoff = Handoff.objects.get(pk=handoff_id)
    if handoff.state != HandoffState.DELIVERED:
        return False
    handoffs.expire(handoff=handoff, at=at, now=now)
    return True


def _close(clock: Clock, at: datetime, now: datetime) -> None:
    """Close the books of a locked clock up to ``at`` and let an expiry happen; the row is then fresh.

    A pause whose time was used up before ``at`` has ended then. An expiry of the handoff before ``at``
    comes first: after it nothing is promised any more.
    """
    if clock.kind != ClockKind.RESPOND and _expire_before(clock, at, now):
        clock.refresh_from_db()
    if clock.resumes_at is not None and clock.resumes_at < at:
        state, resumes_at = clock_rows.state_of(clock), clock.resumes_at
        resumed = rules.resume(state, resumes_at, clock_rows.calendar_of(clock.calendar_version))
        books.enter(clock=clock, outcome=resumed, deed=Deed("resume", resumes_at, now, None, PAUSE_OVER))
    outcome = rules.close_the_books(clock_rows.state_of(clock), at)
    if not outcome.fired or clock.ended_at is not None:
        return
    books.enter(clock=clock, outcome=outcome, deed=Deed("", at, now))
    for threshold in outcome.fired:
        if clock_rows.level_kind(threshold) == EXPIRE:
            expire_handoff(handoff_id=clock.handoff_id, at=threshold.at, now=now)
            clock.refresh_from_db()


def _expire_before(clock: Clock, at: datetime, now: datetime) -> bool:
    """Close the books of the handoff's first response if the time to answer ended before ``at``."""
    siblings = Clock.objects.open().filter(
        handoff_id=clock.handoff_id, kind=ClockKind.RESPOND, next_at__lt=at
    )
    found = [
        sibling
        for sibling in siblings
        for t in clock_rows.state_of(sibling).thresholds[sibling.fired :]
        if t.name == EXPIRE and t.at < at
    ]
    if found:
        close_books(clocks=found, at=at, now=now)
    return bool(found)


def _before_its_end(clock: Clock, state: rules.ClockState, at: datetime) -> rules.ClockState:
    """The clock as it stood at ``at``, before the end that is recorded; ClockRefused if ``at`` is later.

    At the same instant a stop wins over a cancellation, and repeats an earlier stop for nothing.
    """
    ended_at = state.ended_at
    if ended_at is None:
        return state
    later = at > ended_at or (at == ended_at and clock.state not in STOPPABLE_AFTER_END)
    if later:
        raise ClockRefused("This clock had already ended by then.", code="ended")
    breached = any(t.kind == "breach" for t in state.thresholds[: state.fired])
    status = rules.Status.BREACHED_OPEN if breached else rules.Status.RUNNING
    return replace(state, status=status, ended_at=None)


def _as_before(clock: Clock, cancellation: ClockAction) -> rules.ClockState:
    before = cancellation.before
    state = clock_rows.state_of(clock)
    thresholds = tuple(rules.Threshold.from_json(t) for t in before["thresholds"])
    if before["state"] == rules.Status.PAUSED:
        return replace(
            state,
            status=rules.Status.PAUSED,
            thresholds=thresholds,
            due_at=None,
            paused_at=datetime.fromisoformat(before["paused_at"]),
            remaining=timedelta(seconds=before["remaining_seconds"]),
            resumes_at=datetime.fromisoformat(before["resumes_at"]) if before.get("resumes_at") else None,
            ended_at=None,
        )
    breached = state.status in rules.BREACHED
    return replace(
        state,
        status=rules.Status.BREACHED_OPEN if breached else rules.Status.RUNNING,
        thresholds=thresholds,
        due_at=rules.breach_of(thresholds).at,
        ended_at=None,
    )


def _not_in_the_future(at: datetime, now: datetime) -> None:
    if at > now:
        raise InTheFuture(
            "This can't be dated in the future.",
            errors=[FieldError("at", "future", "Choose a time that has passed.")],
        )


def _refusing(action: Callable[[], rules.Outcome]) -> rules.Outcome:
    try:
        return action()
    except rules.ClockRefused as refused:
        raise ClockRefused(refused.detail, code=refused.code) from refused
