"""The promise of depth: it is kept at the instant at which the attempts of sales were enough."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from leads.events import ActivityLogged
from sla.models import Clock, ClockKind, ClockState
from sla.selectors import depth as read
from sla.services import clocks
from sla.services.books import ClockRefused
from smarketing.users.models import User


@transaction.atomic
def note_activity(*, fact: ActivityLogged) -> list[Clock]:
    """Look again at the depth clocks that ran at the time of this activity.

    The whole record is counted each time, by when things happened: one logged late may show that the
    depth was reached earlier, which voids a breach visibly. Automations and marketing's attempts don't
    count; a reply of the person does.
    """
    clocks_then = Clock.objects.filter(kind=ClockKind.DEPTH, started_at__lte=fact.occurred_at)
    if fact.lead_id is not None:
        clocks_then = clocks_then.filter(handoff__lead_id=fact.lead_id)
    elif fact.person_id is not None:
        clocks_then = clocks_then.filter(handoff__lead__person_id=fact.person_id)
    else:
        return []
    actor = User.objects.filter(pk=fact.actor_id).first() if fact.actor_id else None
    stopped = []
    for clock in clocks_then.select_related("clause", "calendar_version", "handoff__lead").order_by("pk"):
        if clock.ended_at is None or clock.ended_at >= fact.occurred_at:
            stopped += _look_again(clock, actor, fact.now)
    return stopped


def _look_again(clock: Clock, actor: User | None, now: datetime) -> list[Clock]:
    reached_at = read.progress(clock, until=now).satisfied_at
    if reached_at is None or _is_known(clock, reached_at):
        return []
    try:
        return [clocks.stop(clock=clock, at=reached_at, actor=actor, now=now)]
    except ClockRefused as refused:
        # The clock ended before the depth was reached, perhaps by an expiry that came to light just now.
        if refused.instance_code != "ended":
            raise
        return []


def _is_known(clock: Clock, reached_at: datetime) -> bool:
    kept = clock.state in (ClockState.MET, ClockState.BREACHED_MET_LATE)
    return kept and clock.ended_at == reached_at
