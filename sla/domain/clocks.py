"""The life of one clock: thresholds computed once, closed books, and the actions that change it.

Every function is pure: it takes a frozen ``ClockState`` and returns an ``Outcome`` with the new state
and the thresholds that fired on the way. Before an action at instant t takes effect, every threshold
strictly earlier than t fires with its own time; a sweep at t does the same. Therefore the result does
not depend on when sweeps ran, and an action exactly on a deadline wins over the deadline.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal

from sla.domain.calendars import WeeklyCalendar

DEFAULT_WARNING_PERCENTS = (50, 75, 90)
ZERO = timedelta(0)

ThresholdKind = Literal["warning", "breach", "after"]
ActionKind = Literal["stop", "cancel", "resume", "pause"]


class Status(StrEnum):
    """The states of a clock."""

    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    BREACHED_OPEN = "breached_open"
    BREACHED_MET_LATE = "breached_met_late"
    CANCELLED = "cancelled"


COUNTING = frozenset({Status.RUNNING, Status.BREACHED_OPEN})
OPEN = COUNTING | {Status.PAUSED}
BREACHED = frozenset({Status.BREACHED_OPEN, Status.BREACHED_MET_LATE})

# What an action makes of each state once the books are closed; a missing pair is refused.
TRANSITIONS: Mapping[tuple[ActionKind, Status], Status] = {
    ("stop", Status.RUNNING): Status.MET,
    ("stop", Status.PAUSED): Status.MET,
    ("stop", Status.BREACHED_OPEN): Status.BREACHED_MET_LATE,
    ("cancel", Status.RUNNING): Status.CANCELLED,
    ("cancel", Status.PAUSED): Status.CANCELLED,
    # A breach is never hidden: the clock ends, and stays breached.
    ("cancel", Status.BREACHED_OPEN): Status.BREACHED_OPEN,
    ("pause", Status.RUNNING): Status.PAUSED,
    ("resume", Status.PAUSED): Status.RUNNING,
}
# At one instant the first of these wins: stop, cancel, pause, start. A resume is applied before a pause
# so that the pause has the last word.
ORDER_AT_ONE_INSTANT: Mapping[ActionKind, int] = {"stop": 0, "cancel": 1, "resume": 2, "pause": 3}


class ClockRefused(ValueError):
    """The action does not fit the clock's state; ``code`` is stable, the message is for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Threshold:
    """An instant at which something is told. ``level`` counts from 1 in firing order.

    ``name`` is stable across recalculation: "warning_50", "breach", or the name given for an "after".
    """

    level: int
    name: str
    kind: ThresholdKind
    at: datetime

    def to_json(self) -> dict[str, Any]:
        """The form stored with the clock; ``at`` in ISO 8601."""
        return {"level": self.level, "name": self.name, "kind": self.kind, "at": self.at.isoformat()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Threshold:
        """Read the form written by ``to_json``."""
        return cls(int(data["level"]), data["name"], data["kind"], datetime.fromisoformat(data["at"]))


@dataclass(frozen=True, slots=True)
class ClockState:
    """A clock as it stands. ``fired`` counts the thresholds told so far, always a prefix of the list.

    ``due_at`` is None while paused; ``remaining`` is the open time left at the pause, else None. A pause
    ends by itself at ``resumes_at``.
    """

    status: Status
    started_at: datetime
    thresholds: tuple[Threshold, ...]
    due_at: datetime | None
    fired: int = 0
    paused_at: datetime | None = None
    remaining: timedelta | None = None
    ended_at: datetime | None = None
    resumes_at: datetime | None = None

    @property
    def next_at(self) -> datetime | None:
        """When the sweep must look at this clock next; None when it need not."""
        if self.status in COUNTING and self.fired < len(self.thresholds):
            return self.thresholds[self.fired].at
        return None

    @property
    def is_open(self) -> bool:
        """Can the promise still be kept or broken? A breached clock that was cancelled cannot."""
        return self.status in OPEN and self.ended_at is None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A new state, the thresholds that fired getting there, and earlier firings that proved wrong.

    ``voided`` is filled only when a stop is recorded late: the events stay, marked void with a reason.
    """

    clock: ClockState
    fired: tuple[Threshold, ...] = ()
    voided: tuple[Threshold, ...] = ()


@dataclass(frozen=True, slots=True)
class Action:
    """Something that happens to a clock at an instant."""

    kind: ActionKind
    at: datetime


# --- starting ---------------------------------------------------------------------------------------


def plan(
    start: datetime,
    *,
    target: timedelta,
    calendar: WeeklyCalendar,
    warning_percents: Sequence[int] = DEFAULT_WARNING_PERCENTS,
    warn_before: timedelta | None = None,
    after: Iterable[tuple[str, timedelta]] = (),
) -> tuple[Threshold, ...]:
    """Compute a clock's thresholds from its start, target and calendar.

    A warning stands at its percentage of the target's open time or ``warn_before`` of open time before
    the deadline, whichever is later; one that would fall on the deadline is left out. ``after`` names
    further levels by the open time that passes from the breach on, for example ("expire", 4 hours).
    """
    if target < ZERO:
        raise ValueError("A target cannot be negative.")
    offsets: dict[timedelta, tuple[str, ThresholdKind]] = {}
    for percent in sorted(set(warning_percents)):
        if not 0 < percent < 100:
            raise ValueError("A warning stands between 0 and 100 percent of the target.")
        offset = target * percent / 100
        if warn_before is not None:
            offset = max(offset, target - warn_before)
        if offset < target:
            offsets[offset] = (f"warning_{percent}", "warning")
    levels = [(offset, *what) for offset, what in sorted(offsets.items())]
    levels.append((target, "breach", "breach"))
    levels.extend((target + delay, name, "after") for name, delay in sorted(after, key=lambda a: a[1]))
    # Each from the one before: adding in parts gives the same, and walks over every day but once.
    planned, at, passed = [], start, ZERO
    for level, (offset, name, kind) in enumerate(levels, start=1):
        at, passed = calendar.add(at, offset - passed), offset
        planned.append(Threshold(level, name, kind, at))
    return tuple(planned)


def start(at: datetime, thresholds: Sequence[Threshold]) -> ClockState:
    """A running clock over thresholds from ``plan``."""
    return ClockState(
        status=Status.RUNNING, started_at=at, thresholds=tuple(thresholds), due_at=breach_of(thresholds).at
    )


def breach_of(thresholds: Iterable[Threshold]) -> Threshold:
    """The threshold that is the deadline."""
    return next(threshold for threshold in thresholds if threshold.kind == "breach")


# --- time passing and actions -----------------------------------------------------------------------


def close_the_books(clock: ClockState, at: datetime) -> Outcome:
    """Fire everything strictly before ``at``. This is all a sweep does, and the first step of actions."""
    if clock.status not in COUNTING:
        return Outcome(clock)
    due: list[Threshold] = []
    for threshold in clock.thresholds[clock.fired :]:
        if threshold.at >= at:
            break
        due.append(threshold)
    if not due:
        return Outcome(clock)
    breached = any(threshold.kind == "breach" for threshold in due)
    status = Status.BREACHED_OPEN if breached else clock.status
    return Outcome(replace(clock, status=status, fired=clock.fired + len(due)), fired=tuple(due))


def stop(clock: ClockState, at: datetime) -> Outcome:
    """The promised thing happened at ``at`` (its own time, not that of recording it).

    At or before the deadline the clock is met, later it is breached and met late. When the breach had
    already fired because the thing was recorded late, it is returned in ``voided``.
    """
    _check_not_before_start(clock, at)
    books = close_the_books(clock, at)
    now = books.clock
    status = _target(now, "stop")
    voided = tuple(t for t in now.thresholds[: now.fired] if t.at >= at)
    if any(t.kind == "breach" for t in voided):
        status = Status.MET
    ended = replace(now, status=status, ended_at=at, paused_at=None, remaining=None, resumes_at=None)
    if ended.due_at is None:
        ended = replace(ended, due_at=breach_of(now.thresholds).at)
    return Outcome(ended, books.fired, voided)


def cancel(clock: ClockState, at: datetime) -> Outcome:
    """The promise no longer applies (reassigned, returned, lead closed). A breach stays a breach."""
    _check_not_before_start(clock, at)
    books = close_the_books(clock, at)
    now = books.clock
    status = _target(now, "cancel")
    # No level is left to fire, so that "next_at is set while levels are left" holds for breached clocks.
    kept = now.thresholds[: now.fired] if status is Status.BREACHED_OPEN else now.thresholds
    due_at = breach_of(now.thresholds).at
    ended = replace(
        now,
        status=status,
        thresholds=kept,
        ended_at=at,
        paused_at=None,
        remaining=None,
        resumes_at=None,
        due_at=due_at,
    )
    return Outcome(ended, books.fired)


def pause(
    clock: ClockState, at: datetime, calendar: WeeklyCalendar, *, at_most: timedelta | None = None
) -> Outcome:
    """Hold a running clock; what remains of its open time is kept. A breached clock cannot be paused.

    After ``at_most`` of open time it goes on by itself.
    """
    _check_not_before_start(clock, at)
    books = close_the_books(clock, at)
    now = books.clock
    status = _target(now, "pause")
    remaining = calendar.between(at, breach_of(now.thresholds).at)
    resumes_at = None if at_most is None else calendar.add(at, at_most)
    held = replace(now, status=status, paused_at=at, remaining=remaining, due_at=None, resumes_at=resumes_at)
    return Outcome(held, books.fired)


def resume(clock: ClockState, at: datetime, calendar: WeeklyCalendar) -> Outcome:
    """Go on: each level not yet fired keeps the open time that was left to it when the pause began."""
    status = _target(clock, "resume")
    paused_at = clock.paused_at
    if paused_at is None or at < paused_at:
        raise ClockRefused("before_pause", "A pause cannot end before it began.")
    moved = tuple(
        replace(t, at=calendar.add(at, calendar.between(paused_at, t.at))) if i >= clock.fired else t
        for i, t in enumerate(clock.thresholds)
    )
    return Outcome(
        replace(
            clock,
            status=status,
            thresholds=moved,
            due_at=breach_of(moved).at,
            paused_at=None,
            remaining=None,
            resumes_at=None,
        )
    )


def at_rest(clock: ClockState, at: datetime, calendar: WeeklyCalendar) -> Outcome:
    """The clock as it stands at ``at``: a pause that ended by itself before is over, the books closed."""
    if clock.status is Status.PAUSED and clock.resumes_at is not None and clock.resumes_at < at:
        clock = resume(clock, clock.resumes_at, calendar).clock
    return close_the_books(clock, at)


def recalculate(clock: ClockState, at: datetime, thresholds: Sequence[Threshold]) -> Outcome:
    """Replace the levels that have not fired by those of a new plan; nothing is told twice.

    Used when a target or calendar changes on record. A level that has fired keeps its number and time.
    """
    if clock.status not in COUNTING or clock.ended_at is not None:
        raise ClockRefused("not_counting", "Only a counting clock can be recalculated.")
    books = close_the_books(clock, at)
    now = books.clock
    everything = renumbered(now, thresholds)
    return Outcome(replace(now, thresholds=everything, due_at=breach_of(everything).at), books.fired)


def renumbered(clock: ClockState, thresholds: Sequence[Threshold]) -> tuple[Threshold, ...]:
    """What has fired, then those of ``thresholds`` that have not, in order."""
    past = clock.thresholds[: clock.fired]
    known = {t.name for t in past}
    coming = sorted((t for t in thresholds if t.name not in known), key=lambda t: (t.at, t.level))
    return past + tuple(replace(t, level=i) for i, t in enumerate(coming, start=clock.fired + 1))


def apply(clock: ClockState, action: Action, calendar: WeeklyCalendar) -> Outcome:
    """Do one action by its kind. Raises ClockRefused."""
    if action.kind == "stop":
        return stop(clock, action.at)
    if action.kind == "cancel":
        return cancel(clock, action.at)
    if action.kind == "pause":
        return pause(clock, action.at, calendar)
    return resume(clock, action.at, calendar)


def apply_all(clock: ClockState, actions: Iterable[Action], calendar: WeeklyCalendar) -> Outcome:
    """Do several actions in the order of time and precedence; those that no longer fit are passed over."""
    fired: list[Threshold] = []
    voided: list[Threshold] = []
    for action in in_order(actions):
        try:
            outcome = apply(clock, action, calendar)
        except ClockRefused:
            continue
        clock = outcome.clock
        fired.extend(outcome.fired)
        voided.extend(outcome.voided)
    return Outcome(clock, tuple(fired), tuple(voided))


def in_order(actions: Iterable[Action]) -> list[Action]:
    """By time; at one instant stop before cancel before resume and pause."""
    return sorted(actions, key=lambda action: (action.at, ORDER_AT_ONE_INSTANT[action.kind]))


def _check_not_before_start(clock: ClockState, at: datetime) -> None:
    if at < clock.started_at:
        raise ClockRefused("before_start", "This happened before the clock started.")


def _target(clock: ClockState, action: ActionKind) -> Status:
    if clock.ended_at is not None:
        raise ClockRefused("ended", "This clock has already ended.")
    status = TRANSITIONS.get((action, clock.status))
    if status is None:
        refusals = {
            ("pause", Status.PAUSED): ("already_paused", "This clock is already paused."),
            ("pause", Status.BREACHED_OPEN): (
                "breached",
                "The promise is already broken; it can't be paused.",
            ),
        }
        code, detail = refusals.get((action, clock.status), ("not_paused", "This clock is not paused."))
        raise ClockRefused(code, detail)
    return status
