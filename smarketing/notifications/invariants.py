"""What must hold of the outbox and its deliveries."""

from __future__ import annotations

from smarketing.core.invariants import Invariant

ALL = (
    Invariant(
        "I-21",
        "Every outbox row older than ten minutes is fanned out",
        "SELECT id, topic, created_at FROM notifications_outbox"
        " WHERE fanned_out_at IS NULL AND created_at < now() - interval '10 minutes'",
    ),
    Invariant(
        "I-22",
        "A delivery is finished exactly when it is not pending",
        "SELECT id, state, finished_at FROM notifications_delivery"
        " WHERE (state = 'pending') <> (finished_at IS NULL)",
    ),
    Invariant(
        "I-22",
        "A delivery goes to one receiver, counted on its channel",
        "SELECT id, channel, endpoint_id, email FROM notifications_delivery"
        " WHERE (endpoint_id IS NULL) = (email = '') OR channel <> coalesce(endpoint_id, 0)",
    ),
    Invariant(
        "I-22",
        "No lease reaches further than its thirty seconds",
        "SELECT id, lease_until FROM notifications_delivery WHERE lease_until > now() + interval '2 minutes'",
    ),
)
