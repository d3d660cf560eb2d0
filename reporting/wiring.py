"""What reporting listens to."""

from __future__ import annotations

from funnel import events as funnel
from leads import events as leads
from reporting import subscribers
from sla import events as sla
from smarketing.core.events import subscribe


def connect() -> None:
    """Journeys follow every fact that can change one."""
    subscribe(funnel.LeadsPlaced, subscribers.follow_leads)
    subscribe(leads.LeadsChanged, subscribers.follow_leads)
    subscribe(funnel.OpportunitiesImported, subscribers.follow_leads)
    subscribe(funnel.StageMoved, subscribers.follow_lead)
    subscribe(funnel.OwnerChanged, subscribers.follow_lead)
    subscribe(funnel.HandoffDelivered, subscribers.follow_lead)
    subscribe(funnel.HandoffAccepted, subscribers.follow_lead)
    subscribe(funnel.HandoffReturned, subscribers.follow_lead)
    subscribe(funnel.HandoffExpired, subscribers.follow_lead)
    subscribe(funnel.HandoffReopened, subscribers.follow_lead)
    subscribe(funnel.OpportunityOpened, subscribers.follow_deal)
    subscribe(funnel.OpportunityMoved, subscribers.follow_deal)
    subscribe(leads.ActivityLogged, subscribers.follow_attempt)
    subscribe(sla.ThresholdReached, subscribers.follow_clock)
    subscribe(sla.ClockEnded, subscribers.follow_clock)
