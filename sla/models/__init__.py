"""Tables of the SLA app."""

from sla.models.agreement import (
    Agreement,
    AgreementComment,
    AgreementSignature,
    AgreementState,
    AgreementVersion,
    Clause,
)
from sla.models.calendar import Calendar, CalendarVersion, OwnHours
from sla.models.clock import Clock, ClockAction, ClockEvent, ClockKind, ClockState
from sla.models.commitment import Commitment, Restatement
from sla.models.feed import CalendarFeed
from sla.models.meeting import TeamMeeting
from sla.models.snooze import Snooze

__all__ = [
    "Agreement",
    "AgreementComment",
    "AgreementSignature",
    "AgreementState",
    "AgreementVersion",
    "Calendar",
    "CalendarFeed",
    "CalendarVersion",
    "Clause",
    "Clock",
    "ClockAction",
    "ClockEvent",
    "ClockKind",
    "ClockState",
    "Commitment",
    "OwnHours",
    "Restatement",
    "Snooze",
    "TeamMeeting",
]
