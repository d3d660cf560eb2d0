"""Facts that the SLA app publishes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from smarketing.core.events import Fact


@dataclass(frozen=True, slots=True)
class ClockStarted(Fact):
    """A promise began to run."""

    clock_id: int
    handoff_id: int
    due_at: datetime
    now: datetime


@dataclass(frozen=True, slots=True)
class LevelReached:
    """A warning, the breach or a later level of a clock was reached at ``due_at``.

    ``promise`` is the clock's kind (respond, depth …), ``kind`` that of the level; owner and clause are those
    of the clock at that moment.
    """

    clock_id: int
    handoff_id: int
    owner_id: int
    clause_id: int
    promise: str
    level: int
    kind: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class ThresholdsReached(Fact):
    """Levels that came to light together, of one clock or of many: one sweep is one fact."""

    levels: tuple[LevelReached, ...]
    now: datetime


@dataclass(frozen=True, slots=True)
class ClockEnded(Fact):
    """A clock came to its end: met, met late or cancelled."""

    clock_id: int
    handoff_id: int
    state: str
    ended_at: datetime
    now: datetime


@dataclass(frozen=True, slots=True)
class AgreementInForce(Fact):
    """Both sides have signed: this version applies to what starts from now on."""

    version_id: int
    number: int
    now: datetime
