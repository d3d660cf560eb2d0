"""The loops of the notifications app."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from smarketing.core import events, invariants, loops, readings
from smarketing.notifications import topics
from smarketing.notifications.invariants import ALL
from smarketing.notifications.services import deliveries, digests, outbox
from smarketing.notifications.subscribers import follow_zone, post_letter
from smarketing.notifications.topics import Kind, Topic
from smarketing.users.events import LetterWritten, ZoneChanged


def connect() -> None:
    """Fan-out every few seconds, deliveries as often; both are nudged after commits too."""
    events.subscribe(LetterWritten, post_letter)
    events.subscribe(ZoneChanged, follow_zone)
    loops.register(loops.Loop("outbox", outbox.fan_out, every_seconds=5, limit=500))
    loops.register(loops.Loop("deliveries", deliveries.run_once, every_seconds=5, limit=500, queue="mail"))
    loops.register(loops.Loop("digests", digests.run_once, every_seconds=30, limit=200, queue="mail"))
    readings.register(
        readings.lag("digests", of="notifications_waitingmail", due="due_at", where="settled_at IS NULL")
    )
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
    topics.register_kind(
        Kind(
            "installation",
            _("This installation"),
            _("A webhook was switched off, or tracking has stopped."),
            order=90,
        )
    )
    topics.register(Topic("webhook.disabled", _("A webhook was switched off"), "installation"))
    for invariant in ALL:
        invariants.register(invariant)
