"""The one place where a clock's row changes by an action: lock, read as rules, write back, tell.

Lock order is handoff before clock everywhere, so that an answer (which holds the handoff) and the
sweep (which may expire it) cannot wait for each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from funnel.models import Handoff
from sla.domain import clocks as rules
from sla.events import ClockEnded, LevelReached, ThresholdsReached
from sla.models import CalendarVersion, Clock, ClockAction, ClockEvent
from sla.selectors.clock_rows import calendar_of, level_kind, pauses
from sla.services import alerts
from smarketing.core import events, locks
from smarketing.core.errors import Conflict
from smarketing.core.prepared import IsAmong, Query, Statement
from smarketing.users.models import User

_HANDOFFS = Statement(
    "handoffs_of_clocks", "SELECT handoff_id FROM sla_clock WHERE id = ANY(%(clocks)s::bigint[])", by="clocks"
)
_CLOCKS = Query(
    "clocks_of_books",
    lambda: Clock.objects.filter(IsAmong("id", "clocks")).select_related("calendar_version").order_by("id"),
    by="clocks",
)


class ClockRefused(Conflict):
    """The action does not fit the clock's state."""


@dataclass(frozen=True, slots=True)
class Deed:
    """What is done to a clock: the verb of the ledger, when, by whom and why."""

    verb: str
    at: datetime
    now: datetime
    actor: User | None = None
    reason: str = ""


def lock(*, clock_ids: Iterable[int]) -> list[Clock]:
    """Lock these clocks with their handoffs, handoffs first, each in key order."""
    ids = sorted(set(clock_ids))
    locks.hold(Handoff, (pk for (pk,) in _HANDOFFS.rows(clocks=ids)))
    return _CLOCKS.all(clocks=locks.hold(Clock, ids))


def enter(
    *, clock: Clock, outcome: rules.Outcome, deed: Deed, calendar_version: CalendarVersion | None = None
) -> None:
    """Write an outcome: events, voids, the row, the ledger entry; then publish the facts.

    ``calendar_version`` is the one that decides from now on, if it is another.

    The caller holds the lock. A deed with an empty verb is the closing of the books, which is no
    action of anybody and has no entry of its own.
    """
    before = snapshot(clock=clock)
    was_over = clock.ended_at is not None
    if calendar_version is not None:
        clock.calendar_version = calendar_version
    _enter_events(clock, outcome, deed)
    apply(clock=clock, state=outcome.clock)
    if clock.ended_at is not None:
        clock.elapsed_seconds = _elapsed(clock)
    clock.version += 1
    clock.save(update_fields=[*_COLUMNS, "owner", "calendar_version", "version"])
    if deed.verb:
        ClockAction.objects.create(
            clock=clock,
            verb=deed.verb,
            at=deed.at,
            recorded_at=deed.now,
            actor=deed.actor,
            reason=deed.reason[:300],
            before=before,
            after=snapshot(clock=clock),
        )
    reached = tuple(_reached(clock, threshold) for threshold in outcome.fired)
    if reached:
        alerts.tell(reached=reached, now=deed.now)
        events.publish(ThresholdsReached(levels=reached, now=deed.now))
    if clock.ended_at is not None and (not was_over or before != snapshot(clock=clock)):
        alerts.tell_ended(clock=clock, voided=len(outcome.voided), now=deed.now)
        events.publish(
            ClockEnded(
                clock_id=clock.pk,
                handoff_id=clock.handoff_id,
                state=clock.state,
                ended_at=clock.ended_at,
                now=deed.now,
            )
        )


def _reached(clock: Clock, threshold: rules.Threshold) -> LevelReached:
    return LevelReached(
        clock_id=clock.pk,
        handoff_id=clock.handoff_id,
        owner_id=clock.owner_id,
        clause_id=clock.clause_id,
        promise=clock.kind,
        level=threshold.level,
        kind=level_kind(threshold),
        due_at=threshold.at,
    )


def apply(*, clock: Clock, state: rules.ClockState) -> None:
    """Put the state into the row's columns, unsaved."""
    clock.state = state.status.value
    clock.thresholds = [t.to_json() for t in state.thresholds]
    clock.due_at = state.due_at
    clock.fired = state.fired
    clock.next_at = state.next_at
    clock.paused_at = state.paused_at
    clock.remaining_seconds = None if state.remaining is None else int(state.remaining.total_seconds())
    clock.ended_at = state.ended_at
    clock.resumes_at = state.resumes_at
    breached = state.status in rules.BREACHED
    clock.breached_at = rules.breach_of(state.thresholds).at if breached else None
    if state.ended_at is None:
        clock.elapsed_seconds = None


def snapshot(*, clock: Clock) -> dict[str, Any]:
    """The row's changeable columns as JSON, for the ledger."""
    return {
        "state": clock.state,
        "owner": clock.owner_id,
        "due_at": _iso(clock.due_at),
        "fired": clock.fired,
        "paused_at": _iso(clock.paused_at),
        "remaining_seconds": clock.remaining_seconds,
        "resumes_at": _iso(clock.resumes_at),
        "ended_at": _iso(clock.ended_at),
        "calendar_version": clock.calendar_version_id,
        "thresholds": clock.thresholds,
    }


_COLUMNS = (
    "state",
    "thresholds",
    "due_at",
    "fired",
    "next_at",
    "paused_at",
    "remaining_seconds",
    "resumes_at",
    "ended_at",
    "breached_at",
    "elapsed_seconds",
)


def _enter_events(clock: Clock, outcome: rules.Outcome, deed: Deed) -> None:
    ClockEvent.objects.bulk_create(
        ClockEvent(clock=clock, level=t.level, kind=level_kind(t), due_at=t.at, detected_at=deed.now)
        for t in outcome.fired
    )
    if outcome.voided:
        ClockEvent.objects.filter(
            clock=clock, level__in=[t.level for t in outcome.voided], voided_at=None
        ).update(voided_at=deed.now, void_reason=deed.reason[:300], voided_by=deed.actor)


def _elapsed(clock: Clock) -> int:
    """Open time from start to end without the pauses, in whole seconds."""
    if clock.ended_at is None:
        raise ValueError("a running clock has no elapsed time")
    calendar = calendar_of(clock.calendar_version)
    total = calendar.between(clock.started_at, clock.ended_at)
    for start, end in pauses(clock.actions.order_by("pk")):
        total -= calendar.between(min(start, clock.ended_at), min(end or clock.ended_at, clock.ended_at))
    return max(0, int(total.total_seconds()))


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
