"""Deals: opened, edited, moved on the board, taken back; each move is a row of their ledger.

The lead goes along: an opened deal makes it an opportunity, a won one a customer, and a lost one is
lost when no other deal of the lead is open. Locks: the opportunity first, then the lead's state.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from funnel.domain import opportunities as rules
from funnel.domain.opportunities import DealRefused
from funnel.events import OpportunityChanged, OpportunityMoved, OpportunityOpened
from funnel.models import (
    Opportunity,
    OpportunityStage,
    OpportunityStageKind,
    OpportunityTransition,
    Product,
)
from funnel.services import deal_fields, lead_coupling
from leads.models import Company, Lead, Person
from leads.services import sources
from leads.services.fields import happened
from smarketing.core import events, locks
from smarketing.core.errors import Conflict, Denied, FieldError, Invalid, Stale
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User

UNDO_WINDOW = timedelta(seconds=10)


class DealNotAllowed(Denied):
    """Deals are sales'."""

    code = "deal_not_allowed"


class DealChanged(Stale):
    """Somebody else changed the deal since it was read."""


class BadMove(Invalid):
    """The stage is unknown, or a loss lacks what belongs to it."""

    code = "bad_move"


class MoveStands(Conflict):
    """The move can't be taken back any more."""

    code = "move_stands"


@transaction.atomic
def open(  # noqa: A001 - the verb of the product
    *,
    lead: Lead | None = None,
    person: Person | None = None,
    company: Company | None = None,
    name: str,
    product: Product | None = None,
    amount: Decimal | None = None,
    currency: str,
    owner: User,
    opened_at: datetime,
    expected_close_on: date | None = None,
    actor: User | None,
    now: datetime,
) -> Opportunity:
    """Open a deal in the first column; its lead, if it has one, becomes an opportunity.

    Person and company default to the lead's. Publishes :class:`OpportunityOpened`. Raises
    :class:`DealNotAllowed`, ``BadDeal``, ``NotAnOwner``, ``InTheFuture``.
    """
    _check_allowed(actor)
    opened_at = happened(instant=opened_at, field="opened_at", now=now)
    _check_person(lead, person)
    values = deal_fields.checked(
        values={
            "name": name,
            "product": product,
            "amount": amount,
            "currency": currency,
            "owner": owner,
            "expected_close_on": expected_close_on,
        }
    )
    first = OpportunityStage.objects.filter(kind=OpportunityStageKind.OPEN).order_by("position")[0]
    opportunity = Opportunity.objects.create(
        **values,
        lead=lead,
        person=person or (lead.person if lead else None),
        company=company or (lead.company if lead else None),
        stage=first,
        stage_entered_at=opened_at,
        opened_at=opened_at,
        source=sources.manual(now=now),
        created_at=now,
        updated_at=now,
    )
    _record(opportunity, None, first, actor=actor, at=opened_at, now=now)
    events.publish(OpportunityOpened(opportunity.pk, opportunity.lead_id, opened_at, now))
    lead_coupling.follow(opportunity=opportunity, target=first, actor=actor, at=opened_at, now=now)
    return opportunity


def _check_person(lead: Lead | None, person: Person | None) -> None:
    if lead is not None and person is not None and person.pk != lead.person_id:
        detail = _("The lead is another person's.")
        raise deal_fields.BadDeal(detail, errors=[FieldError("person", "lead_of_another", detail)])


@transaction.atomic
def update(
    *,
    opportunity: Opportunity,
    changes: Mapping[str, Any],
    actor: User | None,
    now: datetime,
    expected_version: int | None = None,
) -> Opportunity:
    """Change name, product, amount, currency, owner, expected close date or attributes of a deal.

    Publishes :class:`OpportunityChanged` when something differs. Raises :class:`DealNotAllowed`,
    :class:`DealChanged`, ``BadDeal``, ``NotAnOwner``.
    """
    _check_allowed(actor)
    locked = _locked(opportunity, expected_version)
    values = deal_fields.checked(values=dict(changes), present=locked)
    different = [name for name, value in values.items() if getattr(locked, name) != value]
    if not different:
        return locked
    for name in different:
        setattr(locked, name, values[name])
    _save(locked, different, now=now)
    events.publish(OpportunityChanged(locked.pk, locked.lead_id, actor.pk if actor else None, now))
    return locked


@transaction.atomic
def move(
    *,
    opportunity: Opportunity,
    to: str,
    actor: User | None,
    now: datetime,
    at: datetime | None = None,
    lost_reason: str = "",
    lost_note: str = "",
    competitor: str = "",
    expected_version: int | None = None,
) -> Opportunity:
    """Move a deal to the column ``to``; won and lost close it at ``at`` (now when not given).

    A loss needs its reason. The same column again changes nothing. Publishes
    :class:`OpportunityMoved`. Raises :class:`DealNotAllowed`, :class:`DealChanged`, :class:`BadMove`,
    ``InTheFuture``.
    """
    _check_allowed(actor)
    locked = _locked(opportunity, expected_version)
    target = OpportunityStage.objects.filter(code=to).first()
    if target is None:
        raise _bad("to", "unknown_stage", _("There is no such column."))
    if target.pk == locked.stage_id:
        return locked
    at = max(happened(instant=at or now, field="at", now=now), locked.stage_entered_at)
    if target.kind == OpportunityStageKind.LOST:
        try:
            rules.check_loss(lost_reason, competitor=competitor, note=lost_note)
        except DealRefused as refused:
            raise _bad(refused.field, refused.code, refused.detail) from refused
        locked.lost_reason, locked.lost_note = lost_reason, lost_note.strip()
        locked.competitor = competitor.strip()[:200]
    else:
        locked.lost_reason, locked.lost_note, locked.competitor = "", "", ""
    return _move(locked, target, actor=actor, at=at, now=now, reason=lost_reason)


@transaction.atomic
def undo_move(*, opportunity: Opportunity, actor: User, now: datetime) -> Opportunity:
    """Take the last move back, within ten seconds and by who made it; the lead goes back too.

    The ledger gets a further row. Raises :class:`DealNotAllowed`, :class:`MoveStands`.
    """
    _check_allowed(actor)
    locked = _locked(opportunity, None)
    last = OpportunityTransition.objects.filter(opportunity=locked).order_by("-seq").first()
    if last is None or last.from_stage_id is None or last.reason == "undo" or last.actor_id != actor.pk:
        raise MoveStands(_("There is no move of yours to take back."))
    if now - last.recorded_at > UNDO_WINDOW:
        raise MoveStands(_("A move can only be taken back within ten seconds."))
    before = OpportunityStage.objects.get(pk=last.from_stage_id)
    locked.lost_reason, locked.lost_note, locked.competitor = "", "", ""
    return _move(locked, before, actor=actor, at=max(now, locked.stage_entered_at), now=now, reason="undo")


def _move(
    locked: Opportunity,
    target: OpportunityStage,
    *,
    actor: User | None,
    at: datetime,
    now: datetime,
    reason: str,
) -> Opportunity:
    before = locked.stage
    locked.stage, locked.stage_entered_at = target, at
    locked.closed_at = None if target.kind == OpportunityStageKind.OPEN else at
    _save(
        locked,
        ["stage", "stage_entered_at", "closed_at", "lost_reason", "lost_note", "competitor"],
        now=now,
    )
    _record(locked, before, target, actor=actor, at=at, now=now, reason=reason)
    events.publish(
        OpportunityMoved(
            opportunity_id=locked.pk,
            lead_id=locked.lead_id,
            from_stage=before.code,
            to_stage=target.code,
            kind=target.kind,
            amount=locked.amount,
            currency=locked.currency,
            moved_at=at,
            actor_id=actor.pk if actor else None,
            now=now,
        )
    )
    lead_coupling.follow(opportunity=locked, target=target, actor=actor, at=at, now=now, was=before)
    return locked


def _record(
    opportunity: Opportunity,
    before: OpportunityStage | None,
    target: OpportunityStage,
    *,
    actor: User | None,
    at: datetime,
    now: datetime,
    reason: str = "",
) -> None:
    last = OpportunityTransition.objects.filter(opportunity=opportunity).order_by("-seq").first()
    OpportunityTransition.objects.create(
        opportunity=opportunity,
        seq=last.seq + 1 if last else 1,
        from_stage=before,
        to_stage=target,
        reason=reason,
        actor=actor,
        effective_at=at,
        recorded_at=now,
    )


def _locked(opportunity: Opportunity, expected_version: int | None) -> Opportunity:
    (locked,) = locks.rows(Opportunity.objects.select_related("stage", "lead"), [opportunity.pk])
    if expected_version is not None and locked.version != expected_version:
        raise DealChanged(_("Somebody else changed this opportunity first. Look at it again."))
    return locked


def _save(locked: Opportunity, names: list[str], *, now: datetime) -> None:
    locked.version, locked.updated_at = locked.version + 1, now
    locked.save(update_fields=[*names, "version", "updated_at"])


def _check_allowed(actor: User | None) -> None:
    if actor is not None and not actor.may(Capability.EDIT_OPPORTUNITIES):
        raise DealNotAllowed(_("Your role may not change opportunities."))


def _bad(field: str, code: str, detail: str) -> BadMove:
    return BadMove(detail, errors=[FieldError(field, code, detail)])
