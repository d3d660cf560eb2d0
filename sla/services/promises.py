"""What facts of leads and funnel mean for the clocks of a handoff."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from leads.events import ActivityLogged
from sla.domain.ladders import EXPIRE
from sla.models import Clock, ClockKind, ClockState
from sla.selectors import promised
from sla.services import clocks, starts
from sla.services.books import ClockRefused
from sla.services.clocks import HandoffHasExpired
from smarketing.core.prepared import Statement
from smarketing.users.domain.roles import Side
from smarketing.users.models import User

LEAD_CLOSED = "lead closed"
# Each change of an owner asks, and a fresh delivery has no clock yet.
_OF_OTHERS = Statement(
    "clocks_of_others",
    """
SELECT 1 FROM funnel_handoff h JOIN sla_clock c ON c.handoff_id = h.id
 WHERE h.lead_id = %(lead)s::bigint AND c.ended_at IS NULL AND c.owner_id <> %(owner)s::bigint
   AND c.kind <> 'feedback' LIMIT 1
""",
)


@transaction.atomic(savepoint=False)
def start_for_delivery(*, handoff_id: int, owner_id: int, at: datetime, now: datetime) -> list[Clock]:
    """Start the clocks that the agreement in force promises for this delivery, dated ``at``.

    First response, depth and outcome each run by the calendar of their own clause.

    Without an agreement in force nothing was promised and nothing runs.
    """
    told = promised.on_delivery(handoff_id=handoff_id, owner_id=owner_id)
    return starts.start_all(handoff_id=handoff_id, owner_id=owner_id, promises=told, at=at, now=now)


@transaction.atomic
def before_answer(*, handoff_id: int, at: datetime, now: datetime) -> None:
    """Close the books before an answer of sales at ``at``.

    Raises HandoffHasExpired when the time for an answer had run out before, though no sweep had said
    so yet: the answer is refused, whenever sweeps ran.
    """
    open_clocks = list(Clock.objects.open().filter(handoff_id=handoff_id))
    for clock in open_clocks:
        for threshold in clock.thresholds[clock.fired :]:
            if threshold["name"] == EXPIRE and datetime.fromisoformat(threshold["at"]) < at:
                raise HandoffHasExpired(
                    "The time to answer this handoff has run out. Ask marketing to deliver the lead again."
                )
    clocks.close_books(clocks=open_clocks, at=at, now=now)


@transaction.atomic
def cancel_open(
    *, handoff_id: int, at: datetime, actor_id: int | None, reason: str, now: datetime
) -> list[Clock]:
    """End the open clocks of a handoff: what was promised no longer applies.

    One whose time to answer had run out before, though no sweep had said so yet, has ended by that.
    """
    actor = User.objects.get(pk=actor_id) if actor_id else None
    cancelled = []
    for clock in _owed(Clock.objects.open().filter(handoff_id=handoff_id)):
        try:
            cancelled.append(
                clocks.cancel(clock=clock, at=max(at, clock.started_at), actor=actor, reason=reason, now=now)
            )
        except ClockRefused as refused:
            if refused.instance_code != "ended":
                raise
    return cancelled


@transaction.atomic
def cancel_for_closed_lead(*, lead_id: int, at: datetime, actor_id: int | None, now: datetime) -> list[Clock]:
    """The lap has ended without an attempt: nobody waits any more. A breach before that stays."""
    open_clocks = _owed(Clock.objects.open().filter(handoff__lead_id=lead_id))
    handoff_ids = {clock.handoff_id for clock in open_clocks}
    return [
        clock
        for handoff_id in sorted(handoff_ids)
        for clock in cancel_open(handoff_id=handoff_id, at=at, actor_id=actor_id, reason=LEAD_CLOSED, now=now)
    ]


@transaction.atomic
def reopen_cancelled(*, handoff_id: int, actor_id: int | None, now: datetime) -> list[Clock]:
    """Let the clocks run again that the answer now taken back had ended; what it began never was."""
    actor = User.objects.get(pk=actor_id) if actor_id else None
    reopened = []
    for clock in Clock.objects.filter(handoff_id=handoff_id, ended_at__isnull=False).order_by("pk"):
        last = clock.actions.order_by("-pk").first()
        if last is not None and last.verb in ("cancel", "stop") and last.reason == "returned":
            reopened.append(clocks.reopen(clock=clock, actor=actor, reason="answer undone", now=now))
    for clock in Clock.objects.filter(handoff_id=handoff_id, kind=ClockKind.FEEDBACK).exclude(
        state=ClockState.CANCELLED
    ):
        clocks.withdraw(clock=clock, actor=actor, reason="answer undone", now=now)
    return reopened


@transaction.atomic
def reopen_closed(*, lead_id: int, actor_id: int | None, now: datetime) -> list[Clock]:
    """Let the clocks run again that the end of the lap had cancelled, now that it goes on."""
    actor = User.objects.get(pk=actor_id) if actor_id else None
    reopened = []
    for clock in Clock.objects.filter(handoff__lead_id=lead_id, ended_at__isnull=False).order_by("pk"):
        last = clock.actions.order_by("-pk").first()
        if last is not None and last.verb == "cancel" and last.reason == LEAD_CLOSED:
            reopened.append(clocks.reopen(clock=clock, actor=actor, reason="merge undone", now=now))
    return reopened


@transaction.atomic(savepoint=False)
def follow_owner(*, lead_id: int, owner_id: int | None, actor_id: int | None, now: datetime) -> list[Clock]:
    """Let the open clocks of a lead follow its owner; without an owner they stay where they are."""
    if owner_id is None or not _OF_OTHERS.rows(lead=lead_id, owner=owner_id):
        return []
    found = _owed(Clock.objects.open().filter(handoff__lead_id=lead_id).exclude(owner_id=owner_id))
    owner = User.objects.get(pk=owner_id)
    actor = User.objects.get(pk=actor_id) if actor_id else None
    return [clocks.hand_over(clock=clock, owner=owner, at=now, actor=actor, now=now) for clock in found]


@transaction.atomic
def note_activity(*, fact: ActivityLogged) -> list[Clock]:
    """Stop the response clocks of the lead that ran at the time of a human attempt.

    Only outbound calls, mails and meetings of people count, never automations; and not those of
    marketing, for it is sales that promised to respond. An attempt before a clock's start or after its
    end changes nothing.
    """
    if not fact.is_attempt or fact.actor_id is None:
        return []
    actor = User.objects.get(pk=fact.actor_id)
    if actor.side is Side.MARKETING:
        return []
    stopped = []
    for clock in _running_at(fact):
        try:
            stopped.append(clocks.stop(clock=clock, at=fact.occurred_at, actor=actor, now=fact.now))
        except ClockRefused as refused:
            # The clock ended before this attempt, perhaps by an expiry that came to light just now.
            if refused.instance_code != "ended":
                raise
    return stopped


def _owed(open_clocks: QuerySet[Clock]) -> list[Clock]:
    """Those that go with the lead. The explanation of a return stays with whoever gave the lead back."""
    return list(open_clocks.exclude(kind=ClockKind.FEEDBACK).order_by("pk"))


def _running_at(fact: ActivityLogged) -> list[Clock]:
    """Response clocks of the lead (or of the person's leads) whose life holds the attempt."""
    found = Clock.objects.filter(kind=ClockKind.RESPOND, started_at__lte=fact.occurred_at)
    if fact.lead_id is not None:
        found = found.filter(handoff__lead_id=fact.lead_id)
    elif fact.person_id is not None:
        found = found.filter(handoff__lead__person_id=fact.person_id)
    else:
        return []
    return [
        clock
        for clock in found.order_by("pk")
        if clock.ended_at is None or clock.ended_at >= fact.occurred_at
    ]
