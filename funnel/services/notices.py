"""Who is told what about handoffs and deals, through the outbox: reps what is theirs, marketing the fate."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from funnel.models import (
    Appeal,
    Handoff,
    Nurture,
    Opportunity,
    OpportunityStageKind,
    OpportunityTransition,
)
from leads.models import Activity, Lead
from smarketing.core.prepared import Query, Statement, given
from smarketing.notifications.services import outbox
from smarketing.notifications.services.outbox import Notice
from smarketing.users.domain.roles import Role
from smarketing.users.models import User

# Each logged attempt asks.
_HELD = Query(
    "nurture_held", lambda: Nurture.objects.active().filter(pk=given("lead"), owner__isnull=False).order_by()
)
# Every delivery asks, so no more than its notice says is read.
_DELIVERED = Statement(
    "handoff_delivered",
    """
SELECT h.lead_id, h.owner_id, h.state, h.version, h.missing::text, p.first_name, p.last_name, c.name
  FROM funnel_handoff h
  JOIN leads_lead l ON l.id = h.lead_id
  JOIN leads_person p ON p.id = l.person_id
  LEFT JOIN leads_company c ON c.id = l.company_id
 WHERE h.id = %(handoff)s::bigint
""",
)
_HANDOFF = Query(
    "handoff_told",
    lambda: Handoff.objects.select_related("lead__person", "lead__campaign", "lead__company", "owner").filter(
        pk=given("handoff")
    ),
)
_OUTCOMES = {OpportunityStageKind.WON: "opportunity.won", OpportunityStageKind.LOST: "opportunity.lost"}


@transaction.atomic(savepoint=False)
def tell_delivered(*, handoff_id: int, now: datetime) -> None:
    """The rep hears of a lead that is theirs."""
    ((lead_id, owner_id, state, version, missing, first, last, company),) = _DELIVERED.rows(
        handoff=handoff_id
    )
    name = f"{first} {last}".strip() or _("A lead without a name")
    told = Handoff(
        pk=handoff_id, lead_id=lead_id, owner_id=owner_id, state=state, version=version,
        missing=json.loads(missing),
    )  # fmt: skip
    text = _("%(lead)s was delivered to you.") % {"lead": f"{name} ({company})" if company else name}
    _put(told, "handoff.delivered", text, {owner_id}, now=now, mail=True)


@transaction.atomic
def tell_gate_failed(*, handoff_id: int, now: datetime) -> None:
    """Marketing hears what is missing."""
    handoff = _handoff(handoff_id)
    words = {"lead": _name(handoff.lead), "missing": ", ".join(handoff.missing)}
    text = _("%(lead)s can't be delivered yet. Missing: %(missing)s.") % words
    _put(handoff, "handoff.gate_failed", text, _marketing(handoff), now=now)


@transaction.atomic
def tell_waiting(*, handoff_id: int, now: datetime) -> None:
    """Managers hear that no rep can take a lead."""
    handoff = _handoff(handoff_id)
    text = _("%(lead)s waits: no rep can take leads now.") % {"lead": _name(handoff.lead)}
    _put(handoff, "handoff.waiting", text, _managers(), now=now, mail=True)


@transaction.atomic
def tell_held(*, handoff_id: int, now: datetime) -> None:
    """Managers hear that a lead has waited longer than its pool allows."""
    handoff = _handoff(handoff_id)
    text = _("%(lead)s still waits: nobody in the pool could take it.") % {"lead": _name(handoff.lead)}
    _put(handoff, "handoff.held", text, _managers(), now=now, mail=True, step="held")


@transaction.atomic
def tell_answered(*, handoff_id: int, now: datetime) -> None:
    """Marketing hears that its lead was accepted, returned or left to expire."""
    handoff = _handoff(handoff_id)
    words = {
        "lead": _name(handoff.lead),
        "owner": handoff.owner.name if handoff.owner else "",
        "reason": handoff.get_return_reason_display(),
    }
    texts = {
        "accepted": _("%(owner)s accepted %(lead)s."),
        "returned": _("%(owner)s returned %(lead)s: %(reason)s."),
        "expired": _("%(lead)s expired in the queue of %(owner)s. Deliver it again."),
    }
    told = _marketing(handoff)
    if handoff.state == "expired":
        told |= _managers()
    _put(handoff, f"handoff.{handoff.state}", texts[handoff.state] % words, told, now=now)


@transaction.atomic
def tell_appealed(*, appeal_id: int, now: datetime) -> None:
    """The arbiter hears that a return waits for a ruling, the rep that it is contested."""
    appeal = _appeal(appeal_id)
    handoff = appeal.handoff
    words = {"name": appeal.appellant.name, "lead": _name(handoff.lead)}
    told: set[int | None] = {appeal.arbiter_id} if appeal.arbiter_id else _managers()
    text = _("%(name)s appeals against the return of %(lead)s.") % words
    _put(handoff, "handoff.appealed", text, told | {handoff.owner_id}, now=now, mail=True, step="appealed")


@transaction.atomic
def tell_ruled(*, appeal_id: int, now: datetime) -> None:
    """Both sides hear how an appeal was ruled."""
    appeal = _appeal(appeal_id)
    handoff = appeal.handoff
    words = {"lead": _name(handoff.lead), "reason": handoff.get_return_reason_display()}
    texts = {
        "upheld": _("The return of %(lead)s stands: %(reason)s."),
        "overturned": _("The return of %(lead)s was overturned; it counts as delivered."),
    }
    told = _marketing(handoff) | {appeal.appellant_id, handoff.owner_id}
    _put(handoff, f"handoff.{appeal.ruling}", texts[appeal.ruling] % words, told, now=now, step=appeal.ruling)


@transaction.atomic
def tell_outcome(*, opportunity_id: int, now: datetime) -> None:
    """The campaign's owner hears what became of a lead: won or lost."""
    deal = Opportunity.objects.select_related(
        "stage", "lead__person", "lead__campaign", "lead__company", "owner"
    ).get(pk=opportunity_id)
    topic = _OUTCOMES.get(OpportunityStageKind(deal.stage.kind))
    if topic is None:
        return
    seq = OpportunityTransition.objects.filter(opportunity=deal).order_by("-seq").values_list("seq")[0][0]
    words = {"name": deal.name, "reason": deal.get_lost_reason_display()}
    won = topic == "opportunity.won"
    text = (_("Won: %(name)s.") if won else _("Lost: %(name)s. %(reason)s")) % words
    campaign = deal.lead.campaign if deal.lead else None
    told = {campaign.owner_id} if campaign and campaign.owner_id else set()
    outbox.put(
        topic=topic,
        payload={
            "opportunity_id": deal.pk,
            "lead_id": deal.lead_id,
            "campaign_id": campaign.pk if campaign else None,
            "amount": None if deal.amount is None else str(deal.amount),
            "currency": deal.currency,
            "lost_reason": deal.lost_reason,
            "closed_at": deal.closed_at.isoformat() if deal.closed_at else None,
        },
        dedupe_key=f"opportunity:{deal.pk}:{seq}",
        now=now,
        notify=Notice(text=text, user_ids=tuple(sorted(told)), link=f"/opportunities/{deal.pk}/"),
    )


@transaction.atomic
def tell_returned(*, lead_id: int, owner_id: int | None, reason: str, at: datetime, now: datetime) -> None:
    """Whoever kept somebody warm hears that they are back."""
    lead = _lead(lead_id)
    text = _("%(lead)s is back from nurture: %(reason)s.") % {"lead": _name(lead), "reason": reason}
    outbox.put(
        topic="nurture.returned",
        payload={"lead_id": lead_id, "reason": reason, "returned_at": at.isoformat()},
        dedupe_key=f"nurture:{lead_id}:{at.isoformat()}",
        now=now,
        notify=Notice(text=text, user_ids=(owner_id,) if owner_id else (), link=f"/leads/{lead_id}/"),
    )


@transaction.atomic(savepoint=False)
def tell_contact(*, lead_id: int, activity_id: int, now: datetime) -> None:
    """Whoever keeps somebody warm hears that a colleague contacted them all the same."""
    held = _HELD.first(lead=lead_id)
    if held is None or held.owner_id is None:
        return
    owner_id = held.owner_id
    actor = Activity.objects.filter(pk=activity_id).values_list("actor_id", "actor__name").first()
    if actor is None or actor[0] == owner_id:
        return
    words = {"who": actor[1] or _("Somebody"), "lead": _name(_lead(lead_id))}
    outbox.put(
        topic="nurture.contacted",
        payload={"lead_id": lead_id, "activity_id": activity_id, "actor_id": actor[0]},
        dedupe_key=f"nurture:contact:{activity_id}",
        now=now,
        notify=Notice(
            text=_("%(who)s contacted %(lead)s, whom you keep warm.") % words,
            user_ids=(owner_id,),
            link=f"/leads/{lead_id}/",
        ),
    )


def _put(
    handoff: Handoff,
    topic: str,
    text: str,
    told: set[int | None],
    *,
    now: datetime,
    mail: bool = False,
    step: str = "",
) -> None:
    payload: dict[str, Any] = {
        "handoff_id": handoff.pk,
        "lead_id": handoff.lead_id,
        "owner_id": handoff.owner_id,
        "state": handoff.state,
        "return_reason": handoff.return_reason,
        "missing": handoff.missing,
    }
    outbox.put(
        topic=topic,
        payload=payload,
        dedupe_key=f"handoff:{handoff.pk}:{handoff.version}:{step or handoff.state}",
        now=now,
        notify=Notice(
            text=text,
            user_ids=tuple(sorted(pk for pk in told if pk is not None)),
            link=f"/leads/{handoff.lead_id}/",
            mail=mail,
        ),
    )


def _appeal(appeal_id: int) -> Appeal:
    return Appeal.objects.select_related(
        "appellant", "handoff__lead__person", "handoff__lead__campaign", "handoff__lead__company"
    ).get(pk=appeal_id)


def _handoff(handoff_id: int) -> Handoff:
    found = _HANDOFF.first(handoff=handoff_id)
    if found is None:
        raise Handoff.DoesNotExist
    return found


def _lead(lead_id: int) -> Lead:
    return Lead.objects.select_related("person", "company").get(pk=lead_id)


def _name(lead: Lead) -> str:
    person = lead.person.name or _("A lead without a name")
    return f"{person} ({lead.company.name})" if lead.company else person


def _marketing(handoff: Handoff) -> set[int | None]:
    """The campaign's owner and who delivered; where there is neither, the marketing managers."""
    campaign = handoff.lead.campaign
    told = {campaign.owner_id if campaign else None, handoff.delivered_by_id} - {None}
    return told or set(_in_role(Role.MARKETING_MANAGER))


def _managers() -> set[int | None]:
    return {*_in_role(Role.MARKETING_MANAGER), *_in_role(Role.SALES_MANAGER)}


def _in_role(role: Role) -> list[int]:
    return list(User.objects.active().filter(role=role).values_list("pk", flat=True))
