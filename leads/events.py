"""Facts that the leads app publishes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from smarketing.core.events import Fact


@dataclass(frozen=True, slots=True)
class LeadsCaptured(Fact):
    """Leads (new laps) came into being: one by form, API or hand, or many by an import.

    Subscribers work set-based over ``lead_ids``. ``stages`` holds, for leads whose source says how
    far they had come, the stage code (an import of history); others start at stage "lead".
    """

    lead_ids: tuple[int, ...]
    stages: tuple[tuple[int, str], ...]
    owners: tuple[tuple[int, int], ...]
    actor_id: int | None
    is_import: bool
    now: datetime


@dataclass(frozen=True, slots=True)
class LeadsChanged(Fact):
    """Attributes of these leads, their persons or companies changed: fit may differ."""

    lead_ids: tuple[int, ...]
    actor_id: int | None
    now: datetime


@dataclass(frozen=True, slots=True)
class EventsRecorded(Fact):
    """New events of persons were stored, at most once each. Handled in batches.

    Most events are nobody's. They are told by :class:`EventsJoined` when they become somebody's.
    """

    event_ids: tuple[UUID, ...]
    now: datetime


@dataclass(frozen=True, slots=True)
class ActivityLogged(Fact):
    """A colleague (or an automation) did something with a person."""

    activity_id: int
    lead_id: int | None
    person_id: int | None
    kind: str
    is_attempt: bool  # human, outbound call, mail or meeting
    occurred_at: datetime
    actor_id: int | None
    now: datetime


@dataclass(frozen=True, slots=True)
class ActivitiesImported(Fact):
    """Activities came from a file; they are history and start or stop nothing by themselves."""

    activity_ids: tuple[int, ...]
    now: datetime


@dataclass(frozen=True, slots=True)
class TouchpointsRecorded(Fact):
    """New touchpoints were stored."""

    touchpoint_ids: tuple[int, ...]
    now: datetime


@dataclass(frozen=True, slots=True)
class ConsentRecorded(Fact):
    """An entry was added to the consent ledger: what may be sent to the person can differ."""

    entry_id: int
    person_id: int | None
    now: datetime


@dataclass(frozen=True, slots=True)
class EventsJoined(Fact):
    """Stored events of nobody became a person's: each from now on adds to that person's history."""

    event_ids: tuple[UUID, ...]
    now: datetime


@dataclass(frozen=True, slots=True)
class HistoriesChanged(Fact):
    """Events of these persons came or went after they had been counted: compute anew what rests on them."""

    person_ids: tuple[int, ...]
    now: datetime


@dataclass(frozen=True, slots=True)
class VisitsChanged(Fact):
    """Sessions of a source that began on a UTC day are new, differ or are gone."""

    days: tuple[tuple[int, date], ...]
    now: datetime


@dataclass(frozen=True, slots=True)
class ErasureBegan(Fact):
    """A person is being erased: what is running about them ends now. Their data is still there."""

    person_id: int
    lead_ids: tuple[int, ...]
    actor_id: int | None
    now: datetime


@dataclass(frozen=True, slots=True)
class ImportUndone(Fact):
    """An import was taken back: the leads it had made are gone. ``at`` is the instant of the import.

    What goes along with a record is told by ``leads.domain.withdrawals``.
    """

    run_id: int
    at: datetime
    lead_ids: tuple[int, ...]
    now: datetime


@dataclass(frozen=True, slots=True)
class RecordsMerging(Fact):
    """Two persons are about to become one, or two again: lock what comes before persons in the order."""

    person_ids: tuple[int, int]
    now: datetime


@dataclass(frozen=True, slots=True)
class LapsMeet(Fact):
    """Two open laps come to one person by a merge: one of them has to end, and lose nothing by it."""

    merge_id: int
    lead_ids: tuple[int, int]
    actor_id: int | None
    now: datetime


@dataclass(frozen=True, slots=True)
class PersonsMerged(Fact):
    """Everything of ``merged_id`` is now ``survivor_id``'s; ``lead_ids`` are all laps of both."""

    merge_id: int
    survivor_id: int
    merged_id: int
    lead_ids: tuple[int, ...]
    actor_id: int | None
    now: datetime


@dataclass(frozen=True, slots=True)
class PersonsUnmerged(Fact):
    """The two are two again, each with what was theirs; what came between stays with the survivor."""

    merge_id: int
    survivor_id: int
    merged_id: int
    lead_ids: tuple[int, ...]
    actor_id: int | None
    now: datetime


@dataclass(frozen=True, slots=True)
class CompaniesMerged(Fact):
    """Everything of company ``merged_id`` is now ``survivor_id``'s; ``lead_ids`` are the leads of both."""

    merge_id: int
    survivor_id: int
    merged_id: int
    lead_ids: tuple[int, ...]
    actor_id: int | None
    now: datetime


@dataclass(frozen=True, slots=True)
class CompaniesUnmerged(Fact):
    """The two companies are two again."""

    merge_id: int
    survivor_id: int
    merged_id: int
    lead_ids: tuple[int, ...]
    actor_id: int | None
    now: datetime
