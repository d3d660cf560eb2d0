"""What the SLA app listens to, and what it adds to the house."""

from __future__ import annotations

from funnel import events as funnel
from leads import events as leads
from sla import subscribers
from sla.services import sweep
from smarketing.core import loops
from smarketing.core.events import subscribe


def connect() -> None:
    """Clocks follow deliveries, answers and attempts; the sweep follows time."""
    subscribe(funnel.HandoffDelivered, subscribers.start_clocks)
    subscribe(funnel.HandoffAccepted, subscribers.close_books_on_acceptance)
    subscribe(funnel.HandoffReturned, subscribers.cancel_on_return)
    subscribe(funnel.HandoffExpired, subscribers.cancel_on_expiry)
    subscribe(funnel.HandoffReopened, subscribers.reopen_on_undo)
    subscribe(funnel.OwnerChanged, subscribers.follow_owner)
    subscribe(leads.ActivityLogged, subscribers.stop_on_attempt)
    loops.register(loops.Loop(name="clocks", run_once=sweep.run_once, every_seconds=10.0))
