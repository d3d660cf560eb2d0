"""What a step of the ladder does beyond telling people: the lead goes to another rep."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from funnel.services import lifecycle, owners, routing
from leads.models import Lead
from sla.models import Clock, ClockKind

REASON = "escalated"


@transaction.atomic
def reassign(*, clock_id: int, now: datetime) -> bool:
    """Give the lead of a broken promise to whoever is next in the ring; say whether somebody was.

    The new owner's clock starts now, when they get it; the old one ends as the former owner's breach.
    A clock that has ended meanwhile moves nothing. The state is locked before the ring, as in deliveries.
    """
    clock = Clock.objects.select_related("handoff__lead").get(pk=clock_id)
    lead: Lead = clock.handoff.lead
    if clock.ended_at is not None or clock.kind == ClockKind.FEEDBACK:
        return False
    lifecycle.locked(lead_id=lead.pk)
    choice = routing.choose(lead=lead, now=now, exclude=[clock.owner_id])
    if choice.owner is None:
        return False
    routing.keep(choice=choice, lead=lead, owner=choice.owner, handoff=clock.handoff, now=now)
    owners.assign(lead=lead, owner=choice.owner, reason=REASON, actor=None, now=now, record=choice.record)
    return True
