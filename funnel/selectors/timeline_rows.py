"""What the funnel puts on a person's timeline: stages, handoffs and their answers, owners, deals."""

from __future__ import annotations

from typing import Any

from django.db.models import BigIntegerField, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from funnel.models import (
    Assignment,
    FitPeriod,
    Handoff,
    HandoffState,
    InterestPeriod,
    OpportunityStageKind,
    OpportunityTransition,
    StageTransition,
)
from leads.selectors import timeline
from leads.selectors.timeline import Anyone, Category, Entry, Position, Provider, Subject
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


def stages(subject: Subject, *, before: Position | None, limit: int) -> list[Entry]:
    """Moves from stage to stage; skipped stages took no time and are left out, like the capture."""
    rows = timeline.newest(
        lambda who: StageTransition.objects.filter(
            timeline.whose(who, "lead__person"), is_implied=False, from_stage__isnull=False
        ).select_related("to_stage", "actor", "lead__person"),
        subject,
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
            **timeline.about(subject, row.lead.person),
        )
        for row in rows
    ]


def deliveries(subject: Subject, *, before: Position | None, limit: int) -> list[Entry]:
    """When the person was handed to whom."""
    rows = timeline.newest(
        lambda who: Handoff.objects.filter(
            timeline.whose(who, "lead__person"), delivered_at__isnull=False
        ).select_related("owner", "delivered_by", "lead__person"),
        subject,
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
            **timeline.about(subject, row.lead.person),
        )
        for row in rows
        if row.delivered_at
    ]


def answers(subject: Subject, *, before: Position | None, limit: int) -> list[Entry]:
    """How sales answered, or that it did not."""
    rows = timeline.newest(
        lambda who: Handoff.objects.filter(
            timeline.whose(who, "lead__person"), answered_at__isnull=False
        ).select_related("answered_by", "lead__person"),
        subject,
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
                **timeline.about(subject, row.lead.person),
            )
        )
    return entries


def owners(subject: Subject, *, before: Position | None, limit: int) -> list[Entry]:
    """Changes of owner by hand; those that come with a handoff are told by it."""
    rows = timeline.newest(
        lambda who: Assignment.objects.filter(
            timeline.whose(who, "lead__person"), reason="manual"
        ).select_related("to_owner", "actor", "lead__person"),
        subject,
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
            **timeline.about(subject, row.lead.person),
        )
        for row in rows
    ]


def deals(subject: Subject, *, before: Position | None, limit: int) -> list[Entry]:
    """Deals that were opened, moved, won and lost."""
    rows = timeline.newest(
        lambda who: OpportunityTransition.objects.filter(_deals_of(who)).select_related(
            "opportunity__person", "to_stage", "actor"
        ),
        subject,
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
                **(timeline.about(subject, row.opportunity.person) if row.opportunity.person else {}),
            )
        )
    return entries


def scores(subject: Subject, *, before: Position | None, limit: int) -> list[Entry]:
    """Changes of fit: what it was, what it became, and what made it change."""
    later = FitPeriod.objects.filter(lead=OuterRef("lead"), until__gt=OuterRef("until")).order_by("until")
    rows: Any = timeline.newest(
        lambda who: (
            FitPeriod.objects.filter(timeline.whose(who, "lead__person"))
            .annotate(
                became=Coalesce(Subquery(later.values("fit")[:1]), F("lead__score__fit")),
                became_band=Coalesce(Subquery(later.values("fit_band")[:1]), F("lead__score__fit_band")),
                under=Coalesce(
                    Subquery(later.values("definition")[:1]),
                    F("lead__score__definition"),
                    output_field=BigIntegerField(),
                ),
            )
            .select_related("lead__person")
        ),
        subject,
        provider="score",
        before=before,
        limit=limit,
        at="until",
    )
    return [_fit_entry(subject, row) for row in rows]


def _fit_entry(subject: Subject, row: Any) -> Entry:
    words = {
        "before": f"{row.fit:.0f} ({row.fit_band})",
        "after": f"{row.became:.0f} ({row.became_band})",
    }
    text = (
        _("Fit rose from %(before)s to %(after)s")
        if row.became > row.fit
        else (_("Fit fell from %(before)s to %(after)s"))
    )
    is_new_rule = row.under != row.definition_id
    return Entry(
        at=row.until,
        provider="score",
        pk=row.pk,
        title=text % words,
        icon="gauge",
        tone="ok"
        if row.became_band < row.fit_band
        else "warn"
        if row.became_band > row.fit_band
        else "plain",
        detail=_("A new version of the definition came into force.")
        if is_new_rule
        else _("What is known about the person or company changed."),
        lead_id=row.lead_id,
        **timeline.about(subject, row.lead.person),
    )


def interest(subject: Subject, *, before: Position | None, limit: int) -> list[Entry]:
    """When interest entered another band; 1 is the highest."""
    rows = timeline.window(
        InterestPeriod.objects.filter(timeline.whose(subject, "lead__person")).select_related("lead__person"),
        provider="interest",
        before=before,
        limit=limit,
        at="until",
    )
    return [
        Entry(
            at=row.until,
            provider="interest",
            pk=row.pk,
            title=(
                _("Interest rose to band %(now)d")
                if row.became < row.band
                else _("Interest fell to band %(now)d")
            )
            % {"now": row.became},
            icon="gauge",
            tone="ok" if row.became < row.band else "warn",
            detail=_("from band %(before)d") % {"before": row.band},
            lead_id=row.lead_id,
            **timeline.about(subject, row.lead.person),
        )
        for row in rows
    ]


def _deals_of(subject: Subject | Anyone) -> Q:
    """A company's deals are those with it, whoever of it they are about."""
    if timeline.is_company(subject):
        return timeline.whose(subject, "opportunity__company", of_people=False)
    return timeline.whose(subject, "opportunity__person")


def _name(user: User | None) -> str:
    return user.name if user else ""


PROVIDERS = (
    Provider("stage", Category.PIPELINE, stages, companies=True),
    Provider("score", Category.PIPELINE, scores, companies=True),
    Provider("interest", Category.PIPELINE, interest, companies=True),
    Provider("delivery", Category.PIPELINE, deliveries, companies=True),
    Provider("answer", Category.PIPELINE, answers, companies=True),
    Provider("owner", Category.PIPELINE, owners, companies=True),
    Provider("deal", Category.PIPELINE, deals, companies=True),
)
