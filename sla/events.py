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
class ThresholdReached(Fact):
    """A warning, the breach or the expiry of a clock was reached at ``due_at``."""

    clock_id: int
    handoff_id: int
    level: int
    kind: str
    due_at: datetime
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
