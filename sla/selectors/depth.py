"""How far the follow-up of a lead goes: the attempts of sales since its delivery."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from leads.models import Activity, ActivityKind, ActivityOutcome, Direction
from sla.domain import depth as rules
from sla.domain.depth import Progress, Touch
from sla.models import Clock
from sla.selectors import agreements
from sla.selectors.clock_rows import calendar_of
from smarketing.users.domain.roles import SIDE_OF_ROLE, Side

CHANNELS = (ActivityKind.CALL, ActivityKind.MAIL, ActivityKind.MEETING)
# By these the person was reached, whoever began.
CONTACTS = frozenset({ActivityOutcome.REACHED, ActivityOutcome.REPLIED, ActivityOutcome.HELD})
MARKETING = tuple(role for role, side in SIDE_OF_ROLE.items() if side is Side.MARKETING)


def progress(clock: Clock, *, until: datetime) -> Progress:
    """Attempts, channels and business days of a depth clock so far, and when they were enough."""
    spec = agreements.spec_of(clock.clause)
    return rules.progress(
        touches(clock, until=until),
        attempts=int(spec.target),
        channels=spec.term("channels"),
        days=spec.term("days"),
        calendar=calendar_of(clock.calendar_version),
    )


def touches(clock: Clock, *, until: datetime) -> list[Touch]:
    """What people of sales did to reach the person, and what the person answered, in the clock's life."""
    lead = clock.handoff.lead
    found = (
        Activity.objects.filter(
            Q(lead=lead) | Q(lead=None),
            person_id=lead.person_id,
            kind__in=CHANNELS,
            is_automated=False,
            occurred_at__gte=clock.started_at,
            occurred_at__lte=until,
        )
        .filter(Q(actor=None) | ~Q(actor__role__in=MARKETING))
        .order_by("occurred_at", "pk")
        .values_list("occurred_at", "kind", "direction", "outcome", "actor_id")
    )
    return [
        Touch(
            at=at,
            channel=kind,
            is_attempt=direction == Direction.OUTBOUND and actor is not None,
            is_contact=direction == Direction.INBOUND or outcome in CONTACTS,
        )
        for at, kind, direction, outcome, actor in found
    ]
