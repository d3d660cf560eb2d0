"""How a lead follows its deals: opportunity, customer, lost, and back when a move is taken back."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from funnel.models import MoveCause, Opportunity, OpportunityStage, OpportunityStageKind
from funnel.services import lifecycle
from smarketing.users.models import User

_BEFORE_DEAL = frozenset({"visitor", "lead", "mql", "sql", "nurture"})


def follow(
    *,
    opportunity: Opportunity,
    target: OpportunityStage,
    actor: User | None,
    at: datetime,
    now: datetime,
    was: OpportunityStage | None = None,
) -> None:
    """Take the deal's lead to the stage that its deals now say; a deal without a lead moves nothing.

    A lead that ended otherwise (recycled, disqualified) is left where it is. A deal that is opened
    again after its end reopens the lap, unless the person has come back since.
    """
    lead = opportunity.lead
    if lead is None:
        return
    stage = lifecycle.lock_laps(lead_ids=[lead.pk])[lead.pk].stage.counts_as
    to, cause, reopen = stage, MoveCause.OPPORTUNITY, False
    if target.kind == OpportunityStageKind.WON:
        to, cause, reopen = "customer", MoveCause.WON, stage == "lost"
    elif target.kind == OpportunityStageKind.LOST:
        to, cause = _after_loss(opportunity), MoveCause.LOST
    elif stage in _BEFORE_DEAL:
        to = "opportunity"
    elif was is not None and was.kind != OpportunityStageKind.OPEN and not _won_otherwise(opportunity):
        to, cause, reopen = "opportunity", MoveCause.CORRECTION, True
    if to == stage or stage in {"recycled", "disqualified", "merged"}:
        return
    lifecycle.move(
        lead=lead,
        to=to,
        cause=cause,
        reason=_("Opportunity “%(name)s”") % {"name": opportunity.name},
        actor=actor,
        at=at,
        now=now,
        reopen=reopen,
    )


def _after_loss(opportunity: Opportunity) -> str:
    """Lost, unless another deal of the lead is open or won."""
    others = Opportunity.objects.filter(lead_id=opportunity.lead_id).exclude(  # type: ignore[misc]
        pk=opportunity.pk
    )
    if others.filter(stage__kind=OpportunityStageKind.WON).exists():
        return "customer"
    if others.filter(stage__kind=OpportunityStageKind.OPEN).exists():
        return "opportunity"
    return "lost"


def _won_otherwise(opportunity: Opportunity) -> bool:
    others = Opportunity.objects.filter(lead_id=opportunity.lead_id).exclude(  # type: ignore[misc]
        pk=opportunity.pk
    )
    return others.filter(stage__kind=OpportunityStageKind.WON).exists()
