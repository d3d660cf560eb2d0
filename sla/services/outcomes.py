"""The promises of an outcome and of feedback: what became of a lead, what was wrong with a returned one."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from funnel.models import Handoff, LeadScore
from sla.domain import metrics
from sla.models import Clock, ClockKind
from sla.selectors import promised
from sla.services import clocks, starts
from sla.services.books import ClockRefused
from smarketing.users.models import User

# Reached, these say that the follow-up had its end; the others only what became of the lead.
QUALIFIED_STAGES = frozenset({"sql", "opportunity", "customer"})
OUTCOME_STAGES = QUALIFIED_STAGES | {"lost", "disqualified", "recycled"}


@transaction.atomic
def note_return(*, handoff_id: int, at: datetime, actor_id: int | None, now: datetime) -> list[Clock]:
    """A return with its reason is an outcome."""
    found = Clock.objects.open().filter(handoff_id=handoff_id, kind=ClockKind.OUTCOME)
    return [_stop(clock, at, actor_id, "returned", now) for clock in found.order_by("pk")]


@transaction.atomic
def note_stage(*, lead_id: int, stage: str, at: datetime, actor_id: int | None, now: datetime) -> list[Clock]:
    """The lead reached a stage that says what became of it; a qualified one satisfies depth too."""
    kinds = [ClockKind.OUTCOME, *([ClockKind.DEPTH] if stage in QUALIFIED_STAGES else [])]
    found = Clock.objects.open().filter(handoff__lead_id=lead_id, kind__in=kinds, started_at__lte=at)
    return [_stop(clock, at, actor_id, "", now) for clock in found.order_by("pk")]


@transaction.atomic
def ask_for_feedback(*, handoff_id: int, owner_id: int, at: datetime, now: datetime) -> list[Clock]:
    """A return begins the promise to explain it; one that came with a note has kept it already."""
    handoff = Handoff.objects.get(pk=handoff_id)
    owner = User.objects.get(pk=owner_id)
    score = LeadScore.objects.filter(lead_id=handoff.lead_id).first()
    cell = f"{score.fit_band}{score.interest_band}" if score else ""
    cycle = Clock.objects.filter(handoff=handoff, kind=ClockKind.FEEDBACK).count() + 1
    promises = promised.in_time(
        of=[metrics.RETURN_FEEDBACK], cell=cell, teams=promised.teams_of(owner), owner_id=owner.pk
    )
    started = starts.start_all(
        handoff_id=handoff.pk, owner_id=owner.pk, promises=promises, at=at, now=now, cycle=cycle
    )
    if handoff.return_note:
        return [_stop(clock, at, handoff.answered_by_id, "explained", now) for clock in started]
    return started


@transaction.atomic
def note_explanation(*, handoff_id: int, at: datetime, actor_id: int, now: datetime) -> list[Clock]:
    """The return now carries its note."""
    found = Clock.objects.open().filter(handoff_id=handoff_id, kind=ClockKind.FEEDBACK)
    return [_stop(clock, at, actor_id, "explained", now) for clock in found.order_by("pk")]


def _stop(clock: Clock, at: datetime, actor_id: int | None, reason: str, now: datetime) -> Clock:
    actor = User.objects.get(pk=actor_id) if actor_id else None
    try:
        return clocks.stop(clock=clock, at=max(at, clock.started_at), actor=actor, reason=reason, now=now)
    except ClockRefused as refused:
        if refused.instance_code != "ended":
            raise
        return clock
