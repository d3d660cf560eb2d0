"""Journeys follow the facts of the other apps, in their transactions."""

from __future__ import annotations

from funnel.events import (
    HandoffAccepted,
    HandoffDelivered,
    HandoffExpired,
    HandoffReopened,
    HandoffReturned,
    LeadsPlaced,
    MovesWithdrawn,
    OpportunitiesImported,
    OpportunityMoved,
    OpportunityOpened,
    OwnerChanged,
    StageMoved,
)
from funnel.models import Handoff
from leads.events import (
    ActivityLogged,
    CompaniesMerged,
    CompaniesUnmerged,
    ErasureBegan,
    LeadsChanged,
    PersonsMerged,
    PersonsUnmerged,
    VisitsChanged,
)
from reporting.services import journeys, website
from sla.events import ClockEnded, ThresholdsReached
from sla.models import ClockKind
from smarketing.core import events
from smarketing.core.changes import ConfigurationChanged


def _refresh(lead_ids: list[int]) -> None:
    journeys.refresh(lead_ids=lead_ids)


OneLead = (
    StageMoved
    | OwnerChanged
    | HandoffDelivered
    | HandoffAccepted
    | HandoffReturned
    | HandoffExpired
    | HandoffReopened
)


def follow_lead(fact: OneLead) -> None:
    """A fact about one lead, perhaps one of several in the same breath."""
    events.follow(_refresh, [fact.lead_id])


ManyLeads = (
    LeadsPlaced
    | LeadsChanged
    | OpportunitiesImported
    | MovesWithdrawn
    | PersonsMerged
    | PersonsUnmerged
    | CompaniesMerged
    | CompaniesUnmerged
)


def follow_leads(fact: ManyLeads) -> None:
    """A fact about many leads."""
    journeys.refresh(lead_ids=fact.lead_ids)


def follow_deal(fact: OpportunityOpened | OpportunityMoved) -> None:
    """A deal opened or moved; deals without a lead have no journey."""
    if fact.lead_id is not None:
        journeys.refresh(lead_ids=[fact.lead_id])


def follow_visits(fact: VisitsChanged) -> None:
    """Days of the website differ; they are computed by the loop."""
    website.mark(days=fact.days, now=fact.now)


def follow_visitors(fact: PersonsMerged | PersonsUnmerged) -> None:
    """Visits have another person now: the readers of their days differ."""
    website.follow_persons(person_ids=[fact.survivor_id, fact.merged_id], now=fact.now)


def forget(fact: ErasureBegan) -> None:
    """Nobody's reading is kept of somebody who is erased."""
    website.follow_persons(person_ids=[fact.person_id], now=fact.now, forget=True)


def follow_calendar(fact: ConfigurationChanged) -> None:
    """In another time zone visits belong to other days."""
    if fact.action == "organisation_updated" and fact.before.get("time_zone") != fact.after.get("time_zone"):
        website.mark_all(now=fact.at)


def follow_attempt(fact: ActivityLogged) -> None:
    """A human attempt may be the first touch."""
    if fact.is_attempt and fact.lead_id is not None:
        journeys.refresh(lead_ids=[fact.lead_id])


def follow_thresholds(fact: ThresholdsReached) -> None:
    """Leads whose first response is overdue: one statement for all that a sweep found."""
    broken = {
        level.handoff_id: level.due_at
        for level in fact.levels
        if level.kind == "breach" and level.promise == ClockKind.RESPOND
    }
    if broken:
        journeys.note_breaches(broken=broken)


def follow_clock_end(fact: ClockEnded) -> None:
    """A breach may have been voided."""
    lead_ids = Handoff.objects.filter(pk=fact.handoff_id).values_list("lead_id", flat=True)
    journeys.refresh(lead_ids=lead_ids)
