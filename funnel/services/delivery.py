"""Delivery of a lead to sales: gate, packet, owner, handoff, fact and notice in one transaction."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from funnel.domain.fit import Facts
from funnel.domain.handoffs import DELIVERABLE
from funnel.events import HandoffDelivered, HandoffGateFailed, HandoffWaiting
from funnel.models import (
    DefinitionVersion,
    Handoff,
    HandoffState,
    LeadScore,
    LeadState,
    MoveCause,
    Overflow,
)
from funnel.selectors import definitions, facts, packets, scores
from funnel.selectors import tombstones as refusals
from funnel.services import lifecycle, owners, routing, tombstones
from funnel.services.routing import Choice
from leads.models import Lead
from smarketing.core import events
from smarketing.core.errors import Conflict, Denied, FieldError, Invalid
from smarketing.core.prepared import Insert, Query, given
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User

# The gate's own item beside the minimum information: the lead never met the definition.
NOT_QUALIFIED = "definition"
# And for a lead that waited for a rep when somebody it is recognised by was refused.
REFUSED = "tombstone"
# And for one above the ceiling of the agreement, where the pool sends those to nurture.
CEILING = "ceiling"
# How long a lead waits before managers are reminded, where no pool says.
HOLD_MINUTES = 60


class DeliveryNotAllowed(Denied):
    """Delivering is marketing's; overriding the gate is a marketing manager's."""

    code = "delivery_not_allowed"


class NotDeliverable(Conflict):
    """The lead is with sales already, or its lap has ended."""

    code = "not_deliverable"


class NeverDelivered(Conflict):
    """A tombstone refuses this lead; no override passes it, a manager lifts it first."""

    code = "never_delivered"


class OverrideNeedsReason(Invalid):
    """An override says why."""

    code = "override_needs_reason"


_LAST = Query(
    "handoff_last", lambda: Handoff.objects.filter(lead=given("lead")).order_by("-pk"), ending="LIMIT 1"
)
_INSERT = Insert(Handoff)


@transaction.atomic
@events.story()
def deliver(
    *,
    lead: Lead,
    actor: User | None,
    now: datetime,
    owner: User | None = None,
    override_reason: str = "",
) -> Handoff:
    """Deliver ``lead``; without an actor it is the automation that delivers.

    The gate asks for the signed minimum information and that the definition was met. A lead that
    fails it gets a handoff in state ``gate_failed`` that names what is missing, unless the actor may
    override and says why. Without ``owner`` the lead's own owner gets it, or the ring chooses; when
    nobody is eligible the handoff waits as ``assembling``, managers are told, and a loop tries again.
    Publishes :class:`HandoffDelivered` or :class:`HandoffGateFailed`. Raises :class:`DeliveryNotAllowed`,
    :class:`NotDeliverable`, :class:`NeverDelivered`, :class:`OverrideNeedsReason`, ``NotAnOwner``.
    """
    _check_may_deliver(actor, override_reason=override_reason)
    if owner is not None:
        owners.check(owner=owner)
    state = lifecycle.locked(lead_id=lead.pk)
    waiting = _check_deliverable(state)
    version = definitions.in_force()
    if _is_refused(lead, now=now):
        if actor is not None or waiting is None:
            raise _never(lead, now=now)
        return _fail(lead, version, [REFUSED], actor=None, now=now)
    known = facts.of_leads([lead.pk])[lead.pk]
    score = scores.of_lead(lead.pk, version=version)
    missing = gate(score=score, version=version, known=known)
    if missing and not override_reason.strip():
        return _fail(lead, version, missing, actor=actor, now=now)
    handoff = waiting or Handoff(lead=lead, created_at=now)
    handoff.definition = version
    handoff.packet = packets.assemble(lead=lead, missing=missing, now=now, known=known, score=score)
    handoff.missing, handoff.override_reason = missing, override_reason.strip()[:500] if missing else ""
    handoff.delivered_by, handoff.updated_at = actor, now
    if state.stage.counts_as != "mql":
        _advance(state, handoff, actor=actor, now=now)
    choice = _choice(state, lead, owner, known, score, now=now)
    if choice.overflow == Overflow.NURTURE:
        return _spill(handoff, choice, actor=actor, now=now)
    if choice.owner is None:
        return _wait(handoff, choice, now=now)
    return _hand_over(state, handoff, choice, choice.owner, actor=actor, now=now)


def dry_run(*, lead: Lead, now: datetime) -> Choice:
    """Who would get ``lead`` if it were delivered now, and why; nothing is written."""
    state = LeadState.objects.filter(pk=lead.pk).first()
    return (_own(state) if state else None) or routing.preview(lead=lead, now=now)


def gate(*, score: LeadScore | None, version: DefinitionVersion, known: Facts) -> list[str]:
    """What keeps a lead from being delivered: missing information, an exclusion, the definition.

    ``known`` are the facts of the lead, ``score`` what it scored.
    """
    rules = definitions.rules_of(version)
    missing = rules.missing(known)
    excluded = rules.excluded_by(known)
    if excluded is not None:
        missing.append(f"exclusion {excluded.key}")
    if score is None or score.qualified_at is None:
        missing.append(NOT_QUALIFIED)
    return missing


@transaction.atomic
def retry_failed(*, lead_ids: list[int], now: datetime) -> int:
    """Facts of these leads changed: deliver the MQLs that the gate held back and that now pass."""
    delivered = 0
    states = lifecycle.lock(lead_ids=lead_ids)
    for state in states.values():
        if state.stage.counts_as != "mql" or state.lead.closed_at is not None:
            continue
        last = Handoff.objects.filter(lead_id=state.lead_id).order_by("-pk").first()
        if last is None or last.state != HandoffState.GATE_FAILED:
            continue
        if tombstones.stopped(lead_ids=[state.lead_id], now=now):
            continue
        known = facts.of_leads([state.lead_id])[state.lead_id]
        version = definitions.in_force()
        score = scores.of_lead(state.lead_id, version=version)
        if not gate(score=score, version=version, known=known):
            deliver(lead=state.lead, actor=None, now=now)
            delivered += 1
    return delivered


def _check_may_deliver(actor: User | None, *, override_reason: str) -> None:
    if actor is None:
        return
    if not actor.may(Capability.DELIVER):
        raise DeliveryNotAllowed(_("Your role may not deliver leads."))
    if override_reason and not override_reason.strip():
        detail = _("Say why this lead passes although something is missing.")
        raise OverrideNeedsReason(
            detail, errors=[FieldError("override_reason", OverrideNeedsReason.code, detail)]
        )
    if override_reason and not actor.may(Capability.OVERRIDE_GATE):
        raise DeliveryNotAllowed(_("Only a marketing manager can override the gate."))


def _is_refused(lead: Lead, *, now: datetime) -> bool:
    """Whether a tombstone refuses the lead; none is written about it until this transaction ends."""
    tombstones.hold(lead_ids=[lead.pk])
    return bool(tombstones.stopped(lead_ids=[lead.pk], now=now))


def _never(lead: Lead, *, now: datetime) -> NeverDelivered:
    """Who refused the lead, when and why, in words."""
    ids = refusals.blocking([lead.pk], now=now).get(lead.pk, [])
    told = [
        _("%(reason)s (%(author)s, %(day)s)")
        % {
            "reason": t.get_reason_display(),
            "author": t.author.name if t.author else _("by the system"),
            "day": t.created_at.date().isoformat(),
        }
        for t in refusals.in_words(ids)
    ]
    return NeverDelivered(
        _("This lead is never delivered again: %(why)s. A manager can lift the tombstone, with a reason.")
        % {"why": "; ".join(told)}
    )


def _check_deliverable(state: LeadState) -> Handoff | None:
    """The handoff of this lead that still waits for an owner. Raises :class:`NotDeliverable`."""
    if state.lead.closed_at is not None or state.stage.counts_as not in DELIVERABLE:
        raise NotDeliverable(_("A lead in stage %(stage)s is not delivered.") % {"stage": state.stage.name})
    last = _LAST.first(lead=state.lead_id)
    if last is None:
        return None
    if last.state == HandoffState.DELIVERED:
        raise NotDeliverable(_("This lead was delivered already and waits for an answer."))
    if last.state == HandoffState.ACCEPTED and state.stage.counts_as == "mql":
        raise NotDeliverable(_("Sales has accepted this lead already."))
    return last if last.state == HandoffState.ASSEMBLING else None


def _fail(
    lead: Lead, version: DefinitionVersion, missing: list[str], *, actor: User | None, now: datetime
) -> Handoff:
    """Record what is missing; the same finding again is not a new one."""
    last = Handoff.objects.filter(lead=lead).order_by("-pk").first()
    if last is not None and last.state == HandoffState.GATE_FAILED and last.missing == missing:
        return last
    waiting = last if last is not None and last.state == HandoffState.ASSEMBLING else None
    handoff = waiting or Handoff(lead=lead, created_at=now)
    handoff.definition, handoff.state, handoff.missing = version, HandoffState.GATE_FAILED, missing
    handoff.delivered_by, handoff.updated_at = actor, now
    _store(handoff)
    events.publish(HandoffGateFailed(handoff.pk, lead.pk, tuple(missing), now))
    return handoff


def _advance(state: LeadState, handoff: Handoff, *, actor: User | None, now: datetime) -> None:
    """What is delivered is an MQL, whatever stage it came from."""
    lifecycle.move_locked(
        state=state,
        to="mql",
        cause=MoveCause.DELIVERED,
        reason=handoff.override_reason,
        actor=actor,
        at=now,
        now=now,
    )


def _choice(
    state: LeadState, lead: Lead, owner: User | None, known: Facts, score: LeadScore | None, *, now: datetime
) -> Choice:
    """Who gets the lead and why: the one who was named, its own owner, or the ring's next."""
    if owner is not None:
        return Choice(owner, {"reason": "named"})
    band = str(score) if score else ""
    return _own(state) or routing.choose(lead=lead, now=now, known=known, band=band)


def _own(state: LeadState) -> Choice | None:
    """A lead goes to its own owner, while they may own leads."""
    own = owners.owner_of(state=state)
    return None if own is None else Choice(own, {"reason": "own_lead"})


def _wait(handoff: Handoff, choice: Choice, *, now: datetime) -> Handoff:
    """Nobody is eligible: the handoff waits in the open, and managers are told once."""
    told = handoff.pk is not None
    handoff.state = HandoffState.ASSEMBLING
    handoff.packet = {**handoff.packet, "routing": choice.record}
    if not told:
        minutes = choice.way.pool.hold_minutes if choice.way else HOLD_MINUTES
        handoff.hold_due_at = now + timedelta(minutes=minutes)
    _store(handoff)
    if not told:
        events.publish(HandoffWaiting(handoff.pk, handoff.lead_id, now))
    return handoff


def _spill(handoff: Handoff, choice: Choice, *, actor: User | None, now: datetime) -> Handoff:
    """Above the agreed ceiling the pool's rule sends the lead to nurture instead of to sales."""
    handoff.packet = {**handoff.packet, "routing": choice.record}
    handoff.state, handoff.missing, handoff.hold_due_at = HandoffState.GATE_FAILED, [CEILING], None
    _store(handoff)
    lifecycle.move(
        lead=handoff.lead,
        to="nurture",
        cause=MoveCause.DELIVERED,
        reason=_("Above the agreed ceiling"),
        actor=actor,
        at=now,
        now=now,
    )
    events.publish(HandoffGateFailed(handoff.pk, handoff.lead_id, (CEILING,), now))
    return handoff


def _hand_over(
    state: LeadState, handoff: Handoff, choice: Choice, owner: User, *, actor: User | None, now: datetime
) -> Handoff:
    handoff.state, handoff.owner, handoff.delivered_at = HandoffState.DELIVERED, owner, now
    handoff.packet, handoff.hold_due_at = {**handoff.packet, "routing": choice.record}, None
    _store(handoff)
    routing.keep(choice=choice, lead=handoff.lead, owner=owner, handoff=handoff, now=now)
    owners.give(state=state, owner=owner, reason="delivered", actor=actor, record=choice.record, now=now)
    events.publish(
        HandoffDelivered(
            handoff_id=handoff.pk,
            lead_id=handoff.lead_id,
            owner_id=owner.pk,
            delivered_at=now,
            actor_id=actor.pk if actor else None,
            now=now,
        )
    )
    return handoff


def _store(handoff: Handoff) -> None:
    """Insert a new handoff, or write the one that waited."""
    if handoff._state.adding:
        _INSERT.add(handoff)
        return
    handoff.version += 1
    handoff.save(
        update_fields=[
            "definition", "state", "owner", "packet", "missing", "override_reason", "delivered_by",
            "delivered_at", "hold_due_at", "updated_at", "version",
        ]
    )  # fmt: skip
