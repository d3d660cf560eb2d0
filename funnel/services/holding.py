"""Leads that wait for an eligible owner: given out as soon as somebody is, oldest first, with a clock."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from funnel.events import HandoffHeld
from funnel.models import Handoff, HandoffState, LeadState, Overflow
from funnel.services import delivery, pools, routing
from smarketing.core import events

# How many are looked at in a round for each that could be delivered.
LOOKED_AT = 10


def run_once(*, now: datetime, limit: int) -> int:
    """Deliver leads that waited, oldest first, and remind of those that wait too long.

    A pool in which nobody can take anything is asked once a round; a lead that only one rep could take,
    who gave it back, holds up nobody behind it. Each delivery is a transaction of its own.
    """
    waiting = Handoff.objects.filter(state=HandoffState.ASSEMBLING).order_by("pk")
    if waiting.exists():
        pools.welcome()
    full: set[tuple[int, int | None]] = set()
    delivered = 0
    for handoff in waiting.select_related("lead")[: limit * LOOKED_AT]:
        if delivered >= limit:
            break
        choice = routing.preview(lead=handoff.lead, now=now)
        group = (choice.record.get("pool") or 0, choice.record.get("rule"))
        if group in full:
            continue
        if choice.owner is None and choice.overflow != Overflow.NURTURE:
            if choice.is_full:
                full.add(group)
            continue
        delivered += _deliver(handoff, now=now)
    remind(now=now, limit=limit)
    return delivered


@transaction.atomic
def remind(*, now: datetime, limit: int) -> int:
    """Tell of leads whose time to wait is over, each once."""
    due = Handoff.objects.filter(state=HandoffState.ASSEMBLING, hold_due_at__lte=now).order_by("pk")
    found = list(due.select_for_update(skip_locked=True)[:limit])
    for handoff in found:
        events.publish(HandoffHeld(handoff.pk, handoff.lead_id, handoff.created_at, now))
    Handoff.objects.filter(pk__in=[handoff.pk for handoff in found]).update(hold_due_at=None)
    return len(found)


@transaction.atomic
def _deliver(handoff: Handoff, *, now: datetime) -> bool:
    """Try again to deliver, unless somebody handles the lead just now; they also handle its handoff."""
    states = LeadState.objects.filter(pk=handoff.lead_id).select_for_update(skip_locked=True)
    waits = Handoff.objects.filter(pk=handoff.pk, state=HandoffState.ASSEMBLING)
    if not states or not waits.exists():
        return False
    result = delivery.deliver(lead=handoff.lead, actor=None, now=now, override_reason=handoff.override_reason)
    return result.state != HandoffState.ASSEMBLING
