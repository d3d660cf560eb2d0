"""What the funnel listens to and which loops it runs."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from funnel import invariants, subscribers
from funnel.events import (
    HandoffAccepted,
    HandoffDelivered,
    HandoffExpired,
    HandoffGateFailed,
    HandoffReturned,
    HandoffWaiting,
    OpportunityMoved,
)
from funnel.selectors import timeline_rows
from funnel.services import delivery, rescoring, scoring
from funnel.services.imports import opportunities, products
from leads.events import EventsRecorded, LeadsCaptured, LeadsChanged
from leads.selectors import timeline
from leads.services.imports import kinds
from smarketing.core import invariants as audited
from smarketing.core import loops
from smarketing.core.events import subscribe
from smarketing.web import navigation
from smarketing.web.navigation import NavItem


def connect() -> None:
    """Called once, at start."""
    kinds.register(kind=products.KIND)
    kinds.register(kind=opportunities.KIND)
    subscribe(LeadsCaptured, subscribers.place)
    subscribe(LeadsChanged, subscribers.score_again)
    subscribe(EventsRecorded, subscribers.add_interest)
    subscribe(HandoffDelivered, subscribers.tell_delivered)
    subscribe(HandoffGateFailed, subscribers.tell_gate_failed)
    subscribe(HandoffWaiting, subscribers.tell_waiting)
    subscribe(HandoffAccepted, subscribers.tell_answered)
    subscribe(HandoffReturned, subscribers.tell_answered)
    subscribe(HandoffExpired, subscribers.tell_answered)
    subscribe(OpportunityMoved, subscribers.tell_outcome)
    for provider in timeline_rows.PROVIDERS:
        timeline.register(provider)
    for invariant in invariants.ALL:
        audited.register(invariant)
    loops.register(loops.Loop("scores", scoring.run_once, every_seconds=60.0))
    loops.register(loops.Loop("handoffs", delivery.run_once, every_seconds=30.0, limit=100))
    loops.register(loops.Loop("rescoring", rescoring.run_once, every_seconds=30.0, limit=2000))
    _add_pages()


def _add_pages() -> None:
    """Entries of the menu."""
    navigation.register(NavItem(_("Leads"), "users", "funnel:leads", order=20, key="l", phone=True))
