"""What a merge of records means for laps in work, tombstones and interest; and its undoing.

Two open laps of one person can't both go on. The one that sales has further in hand does; else the
earlier. The other ends in the stage "merged": its history, handoffs and clocks stay with it, its deals
follow the person's open lap, and a handoff of it that still waits is given back as "already being worked".
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from funnel.events import HandoffReopened, HandoffReturned
from funnel.models import (
    Handoff,
    HandoffState,
    LeadScore,
    LeadState,
    MoveCause,
    Opportunity,
    OpportunityStageKind,
    ReturnReason,
    TombstoneKey,
)
from funnel.services import frames, lifecycle, masses, owners, tombstones
from leads.models import Merge
from leads.services import merge_ledger
from smarketing.core import events, locks
from smarketing.users.models import User

UNQUALIFIED = "unqualified"
_WAITING = (HandoffState.ASSEMBLING, HandoffState.DELIVERED)
_IN_WORK = frozenset({"mql", "sql", "opportunity"})


@transaction.atomic(savepoint=False)
def prepare(*, person_ids: Sequence[int]) -> None:
    """Lock what comes before persons in the order of locks: waiting handoffs, then deals."""
    waiting = Handoff.objects.filter(lead__person__in=person_ids, state__in=_WAITING)
    locks.rows(Handoff.objects.all(), list(waiting.values_list("pk", flat=True)))
    deals = Opportunity.objects.filter(lead__person__in=person_ids, lead__closed_at=None)
    locks.rows(Opportunity.objects.all(), list(deals.values_list("pk", flat=True)))


@transaction.atomic(savepoint=False)
def end_one_lap(*, merge_id: int, lead_ids: Sequence[int], actor_id: int | None, now: datetime) -> int:
    """End one of two open laps; returns the key of the one that goes on."""
    record = Merge.objects.get(pk=merge_id)
    _lock_interest(record)
    states = lifecycle.lock_laps(lead_ids=lead_ids)
    order = sorted(states.values(), key=lambda s: (-_in_hand(s), s.captured_at, s.lead_id))
    stays, ends = order[0], order[1]
    actor = User.objects.get(pk=actor_id) if actor_id else None
    _give_deals(record, ends.lead_id, stays.lead_id)
    _end_handoff(record, ends, actor=actor, now=now)
    lifecycle.move(
        lead=ends.lead,
        to="merged",
        cause=MoveCause.MERGED,
        reason=_("Goes on as lead %(lead)s of the same person.") % {"lead": stays.lead_id},
        actor=actor,
        at=now,
        now=now,
    )
    return stays.lead_id


@transaction.atomic(savepoint=False)
def join_tombstones(*, merge_id: int, survivor_id: int, merged_id: int, now: datetime) -> None:
    """What refuses either person refuses the one. Also notes who has not qualified yet: with the events
    of both they may, and an undoing takes that back where nothing followed from it.
    """
    record = Merge.objects.get(pk=merge_id)
    made = tombstones.join(survivor_id=survivor_id, merged_id=merged_id, now=now)
    if made:
        merge_ledger.made(merge=record, model=TombstoneKey, keys=made)
    waiting = LeadScore.objects.filter(lead__person=survivor_id, lead__closed_at=None, qualified_at=None)
    if ids := list(waiting.values_list("lead_id", flat=True)):
        record.written = {**record.written, UNQUALIFIED: ids}
        record.save(update_fields=["written"])


@transaction.atomic(savepoint=False)
def join_company_tombstones(*, merge_id: int, survivor_id: int, merged_id: int, now: datetime) -> None:
    """What refuses either company refuses the one."""
    made = tombstones.join(survivor_id=survivor_id, merged_id=merged_id, now=now, kind="company")
    if made:
        merge_ledger.made(merge=Merge.objects.get(pk=merge_id), model=TombstoneKey, keys=made)


@transaction.atomic(savepoint=False)
def take_apart(*, merge_id: int, lead_ids: Sequence[int], actor_id: int | None, now: datetime) -> None:
    """The lap that had ended goes on where it stood, with its owner and the handoff that waited."""
    record = Merge.objects.get(pk=merge_id)
    actor = User.objects.get(pk=actor_id) if actor_id else None
    reopened = Handoff.objects.filter(
        pk__in=merge_ledger.rows_of(merge=record, model=Handoff), state=HandoffState.DELIVERED
    )
    _unqualify(record)
    waiting = {handoff.lead_id: handoff for handoff in reopened.select_related("lead", "owner")}
    _lock_interest(record)
    for state in lifecycle.lock_laps(lead_ids=lead_ids).values():
        if state.stage.code != "merged" or state.lead.closed_at is not None:
            continue
        _go_on(state, actor=actor, now=now)
        if (handoff := waiting.get(state.lead_id)) is not None and handoff.owner is not None:
            owners.assign(lead=handoff.lead, owner=handoff.owner, reason="undone", actor=actor, now=now)
            by = actor.pk if actor else handoff.owner.pk
            events.publish(
                HandoffReopened(handoff.pk, handoff.lead_id, handoff.owner.pk, "returned", by, now)
            )


def _lock_interest(record: Merge) -> None:
    """Lock the interest of both persons, which comes before their leads in the order of locks.

    Made where there is none: a first event of the same moment, not committed yet, is waited for here and
    not with the leads already locked, where it would wait for us.
    """
    masses.lock_people(frame=frames.held(), people=[record.survivor_key, record.merged_key])


def _unqualify(record: Merge) -> None:
    """Who qualified by the other's events alone has not, unless sales has the lead by now."""
    ids = record.written.get(UNQUALIFIED, [])
    followed = Handoff.objects.filter(lead__in=ids, created_at__gte=record.merged_at).values("lead")
    LeadScore.objects.filter(lead__in=ids).exclude(lead__in=followed).update(qualified_at=None)


def _in_hand(state: LeadState) -> int:
    """How far sales has the lap in hand: a deal, accepted, delivered, waiting for a rep, not at all."""
    if Opportunity.objects.filter(lead=state.lead_id, stage__kind=OpportunityStageKind.OPEN).exists():
        return 4
    last = Handoff.objects.filter(lead=state.lead_id).order_by("-pk").values_list("state", flat=True).first()
    if last == HandoffState.ACCEPTED and state.stage.counts_as in _IN_WORK:
        return 3
    if state.stage.counts_as in ("sql", "opportunity"):
        return 3
    return {HandoffState.DELIVERED: 2, HandoffState.ASSEMBLING: 1}.get(HandoffState(last), 0) if last else 0


def _give_deals(record: Merge, old: int, new: int) -> None:
    deals = list(Opportunity.objects.filter(lead=old).values_list("pk", flat=True))
    if deals:
        merge_ledger.keep(merge=record, model=Opportunity, keys=deals, columns=["lead_id"])
        Opportunity.objects.filter(pk__in=deals).update(lead=new)


def _end_handoff(record: Merge, state: LeadState, *, actor: User | None, now: datetime) -> None:
    """A handoff that waits for an answer or a rep waits no longer: the person is being worked already."""
    waiting = Handoff.objects.filter(lead=state.lead_id, state__in=_WAITING).select_related("owner").first()
    if waiting is None:
        return
    columns = ["state", "missing", "answered_at", "answered_by_id", "return_reason", "return_note"]
    merge_ledger.keep(merge=record, model=Handoff, keys=[waiting.pk], columns=columns)
    was_delivered = waiting.state == HandoffState.DELIVERED
    if was_delivered:
        waiting.state, waiting.return_reason = HandoffState.RETURNED, ReturnReason.DUPLICATE
        waiting.answered_at, waiting.answered_by = now, actor or waiting.owner
        waiting.return_note = _("Two records of one person were merged.")
    else:
        waiting.state, waiting.missing = HandoffState.GATE_FAILED, ["merged"]
    waiting.version, waiting.updated_at = waiting.version + 1, now
    waiting.save(
        update_fields=[
            "state", "missing", "answered_at", "answered_by", "return_reason", "return_note", "version",
            "updated_at",
        ]
    )  # fmt: skip
    if was_delivered and waiting.owner is not None:
        owners.assign(lead=state.lead, owner=None, reason="merged", actor=actor, now=now)
        by = waiting.answered_by_id or waiting.owner.pk
        events.publish(
            HandoffReturned(waiting.pk, state.lead_id, waiting.owner.pk, by, ReturnReason.DUPLICATE, now, now)
        )


def _go_on(state: LeadState, *, actor: User | None, now: datetime) -> None:
    """Back to the stage that the lap had before it ended by the merge."""
    before = state.lead.transitions.filter(to_stage__code="merged").order_by("-seq").first()
    if before is None or before.from_stage is None:
        return
    lifecycle.move(
        lead=state.lead,
        to=before.from_stage.code,
        cause=MoveCause.CORRECTION,
        reason=_("The merge was undone."),
        actor=actor,
        at=now,
        now=now,
        reopen=True,
    )
