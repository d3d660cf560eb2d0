"""What the funnel puts on a person's timeline: stages, handoffs and their answers, owners, deals."""

from __future__ import annotations

from django.utils.translation import gettext as _

from funnel.models import (
    Assignment,
    Handoff,
    HandoffState,
    OpportunityStageKind,
    OpportunityTransition,
    StageTransition,
)
from leads.models import Person
from leads.selectors import timeline
from leads.selectors.timeline import Category, Entry, Position, Provider
from smarketing.users.models import User

_TONES = {"customer": "ok", "lost": "bad", "disqualified": "bad", "recycled": "warn", "nurture": "info"}
_ANSWERS = {
    HandoffState.ACCEPTED: ("handshake", "ok"),
    HandoffState.RETURNED: ("undo-2", "warn"),
    HandoffState.UPHELD: ("undo-2", "warn"),
    HandoffState.OVERTURNED: ("undo-2", "warn"),
    HandoffState.EXPIRED: ("timer-off", "bad"),
}
_DEALS = {OpportunityStageKind.WON: ("trophy", "ok"), OpportunityStageKind.LOST: ("circle-x", "bad")}


def stages(person: Person, *, before: Position | None, limit: int) -> list[Entry]:
    """Moves from stage to stage; skipped stages took no time and are left out, like the capture."""
    rows = timeline.window(
        StageTransition.objects.filter(
            lead__person=person, is_implied=False, from_stage__isnull=False
        ).select_related("to_stage", "actor"),
        provider="stage",
        before=before,
        limit=limit,
        at="effective_at",
    )
    return [
        Entry(
            at=row.effective_at,
            provider="stage",
            pk=row.pk,
            title=_("Became %(stage)s") % {"stage": row.to_stage.name},
            icon="milestone",
            tone=_TONES.get(row.to_stage.code, "accent"),
            detail=row.reason or row.get_cause_display(),
            who=_name(row.actor),
            lead_id=row.lead_id,
        )
        for row in rows
    ]


def deliveries(person: Person, *, before: Position | None, limit: int) -> list[Entry]:
    """When the person was handed to whom."""
    rows = timeline.window(
        Handoff.objects.filter(lead__person=person, delivered_at__isnull=False).select_related(
            "owner", "delivered_by"
        ),
        provider="delivery",
        before=before,
        limit=limit,
        at="delivered_at",
    )
    return [
        Entry(
            at=row.delivered_at,
            provider="delivery",
            pk=row.pk,
            title=_("Delivered to %(owner)s") % {"owner": _name(row.owner)},
            icon="send",
            tone="accent",
            detail=_("Gate overridden: %(reason)s") % {"reason": row.override_reason}
            if row.override_reason
            else "",
            who=_name(row.delivered_by),
            lead_id=row.lead_id,
        )
        for row in rows
        if row.delivered_at
    ]


def answers(person: Person, *, before: Position | None, limit: int) -> list[Entry]:
    """How sales answered, or that it did not."""
    rows = timeline.window(
        Handoff.objects.filter(lead__person=person, answered_at__isnull=False).select_related("answered_by"),
        provider="answer",
        before=before,
        limit=limit,
        at="answered_at",
    )
    entries = []
    for row in rows:
        if row.answered_at is None:
            continue
        icon, tone = _ANSWERS.get(HandoffState(row.state), ("circle-dot", "plain"))
        told = (row.get_return_reason_display(), row.return_note) if row.return_reason else ()
        entries.append(
            Entry(
                at=row.answered_at,
                provider="answer",
                pk=row.pk,
                title=_("Handoff: %(state)s") % {"state": row.get_state_display()},
                icon=icon,
                tone=tone,
                detail=" · ".join(text for text in told if text),
                who=_name(row.answered_by),
                lead_id=row.lead_id,
            )
        )
    return entries


def owners(person: Person, *, before: Position | None, limit: int) -> list[Entry]:
    """Changes of owner by hand; those that come with a handoff are told by it."""
    rows = timeline.window(
        Assignment.objects.filter(lead__person=person, reason="manual").select_related("to_owner", "actor"),
        provider="owner",
        before=before,
        limit=limit,
        at="at",
    )
    return [
        Entry(
            at=row.at,
            provider="owner",
            pk=row.pk,
            title=_("Owner: %(owner)s") % {"owner": _name(row.to_owner) or _("nobody")},
            icon="user-round",
            who=_name(row.actor),
            lead_id=row.lead_id,
        )
        for row in rows
    ]


def deals(person: Person, *, before: Position | None, limit: int) -> list[Entry]:
    """Deals that were opened, moved, won and lost."""
    rows = timeline.window(
        OpportunityTransition.objects.filter(opportunity__person=person).select_related(
            "opportunity", "to_stage", "actor"
        ),
        provider="deal",
        before=before,
        limit=limit,
        at="effective_at",
    )
    entries = []
    for row in rows:
        icon, tone = _DEALS.get(OpportunityStageKind(row.to_stage.kind), ("circle-dollar-sign", "accent"))
        entries.append(
            Entry(
                at=row.effective_at,
                provider="deal",
                pk=row.pk,
                title=_("%(deal)s: %(stage)s") % {"deal": row.opportunity.name, "stage": row.to_stage.name},
                icon=icon,
                tone=tone,
                who=_name(row.actor),
                url=f"/opportunities/{row.opportunity_id}/",
                lead_id=row.opportunity.lead_id,
            )
        )
    return entries


def _name(user: User | None) -> str:
    return user.name if user else ""


PROVIDERS = (
    Provider("stage", Category.PIPELINE, stages),
    Provider("delivery", Category.PIPELINE, deliveries),
    Provider("answer", Category.PIPELINE, answers),
    Provider("owner", Category.PIPELINE, owners),
    Provider("deal", Category.PIPELINE, deals),
)
