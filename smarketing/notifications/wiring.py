"""The loops of the notifications app."""

from __future__ import annotations

from smarketing.core import invariants, loops
from smarketing.notifications.invariants import ALL
from smarketing.notifications.services import deliveries, outbox


def connect() -> None:
    """Fan-out every few seconds, deliveries as often; both are nudged after commits too."""
    loops.register(loops.Loop("outbox", outbox.fan_out, every_seconds=5, limit=500))
    loops.register(loops.Loop("deliveries", deliveries.run_once, every_seconds=5, limit=500, queue="mail"))
    for invariant in ALL:
        invariants.register(invariant)
