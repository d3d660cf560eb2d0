"""The loops of the notifications app."""

from __future__ import annotations

from smarketing.core import invariants, loops, readings
from smarketing.notifications.invariants import ALL
from smarketing.notifications.services import deliveries, outbox


def connect() -> None:
    """Fan-out every few seconds, deliveries as often; both are nudged after commits too."""
    loops.register(loops.Loop("outbox", outbox.fan_out, every_seconds=5, limit=500))
    loops.register(loops.Loop("deliveries", deliveries.run_once, every_seconds=5, limit=500, queue="mail"))
    readings.register(
        readings.lag("outbox", of="notifications_outbox", due="created_at", where="fanned_out_at IS NULL")
    )
    readings.register(
        readings.lag(
            "deliveries",
            of="notifications_delivery d LEFT JOIN notifications_endpoint e ON e.id = d.endpoint_id",
            due="d.not_before",
            where="d.state = 'pending' AND e.enabled IS NOT FALSE",
        )
    )
    readings.register(
        readings.Reading(
            "deliveries",
            "Deliveries that wait or have failed for good.",
            "SELECT state, count(*) FROM notifications_delivery WHERE state <> 'done' GROUP BY state",
            label="state",
        )
    )
    for invariant in ALL:
        invariants.register(invariant)
