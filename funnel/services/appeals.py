"""Marketing contests a return, once and inside a window; a manager who is no party to it rules (N5).

An overturned return counts for marketing's supply, and its lead is delivered anew, to another rep. One
that is upheld, or that nobody contests, stands: the rep gets the turn back. Locks are taken in the order
of the answers: the handoff, the lead's lap, then the ring.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Count, Exists, F, OuterRef, Subquery
from django.utils.translation import gettext as _

from funnel.domain import appeals as rules
from funnel.domain.handoffs import RETURN_REASONS
from funnel.events import AppealRuled, ReturnAppealed
from funnel.models import Appeal, Handoff, HandoffState, MoveCause, RoutingDecision, Ruling
from funnel.selectors import appeals as reads
from funnel.selectors import definitions
from funnel.services import definition_comments, delivery, lifecycle, routing
from leads.selectors import leads as laps
from smarketing.core import events, locks
from smarketing.core.errors import Conflict, Denied, FieldError, Invalid, Stale
from smarketing.users.domain.roles import CAPABILITIES, Capability
from smarketing.users.models import User

LONGEST = 4000
LOOP = "appeals"
# How far back the loop looks for returns that nobody contested: beyond the longest window.
LOOKBACK = timedelta(days=120)


class AppealNotAllowed(Denied):
    """Marketing appeals; the arbiter rules, or an admin in their place, and nobody who is a party."""

    code = "appeal_not_allowed"


class NoAppeal(Conflict):
    """There is nothing to contest: no return, too late, or contested already."""

    code = "no_appeal"


class AppealIncomplete(Invalid):
    """An appeal brings evidence, and a ruling says why."""

    code = "appeal_incomplete"


class AlreadyRuled(Conflict):
    """The appeal was ruled on by somebody else first; a ruling stands."""

    code = "already_ruled"


class AppealChanged(Stale):
    """Somebody else changed the appeal since it was read."""


@transaction.atomic
def appeal(*, handoff: Handoff, evidence: str, actor: User, now: datetime) -> Appeal:
    """Contest the return of ``handoff`` with ``evidence``; the manager with the fewest cases rules.

    Raises :class:`AppealNotAllowed`, :class:`AppealIncomplete`, :class:`NoAppeal`.
    """
    if not actor.may(Capability.APPEAL_RETURNS):
        raise AppealNotAllowed(_("Only marketing can appeal against a return."))
    evidence = _text(evidence, "evidence", _("Say what speaks against the return."))
    locks.advisory(locks.Namespace.APPEAL, 0)  # cases are given out one after the other
    (current,) = locks.rows(Handoff.objects.all(), [handoff.pk])
    if current.state != HandoffState.RETURNED:
        raise NoAppeal(_("Only a return that stands can be appealed against, once."))
    if current.answered_at is None or now >= reads.closes_at(current.answered_at):
        days = rules.window(reads.terms(), current.answered_at or now).days
        raise NoAppeal(
            _("A return can be appealed against for %(days)d days; this one stands.") % {"days": days}
        )
    try:
        with transaction.atomic():
            made = Appeal.objects.create(
                handoff=current,
                evidence=evidence,
                appellant=actor,
                arbiter_id=_arbiter(current, actor),
                created_at=now,
                updated_at=now,
            )
    except IntegrityError as error:
        raise NoAppeal(_("This return was appealed against already.")) from error
    events.publish(ReturnAppealed(made.pk, current.pk, current.lead_id, made.arbiter_id, actor.pk, now))
    return made


@transaction.atomic
def rule(
    *,
    appeal: Appeal,
    ruling: str,
    note: str,
    actor: User,
    now: datetime,
    definition_unclear: bool = False,
    expected_version: int | None = None,
) -> Appeal:
    """Uphold or overturn the return, for a reason both sides read. It can't be taken back.

    ``definition_unclear`` says that the teams understand the definition differently: it is written into
    the discussion of the version in force. Raises :class:`AppealNotAllowed`, :class:`AppealIncomplete`,
    :class:`AlreadyRuled`, :class:`AppealChanged`.
    """
    if ruling not in Ruling.values:
        detail = _("Choose whether the return is upheld or overturned.")
        raise AppealIncomplete(detail, errors=[FieldError("ruling", "invalid", detail)])
    note = _text(note, "note", _("Say in a sentence why: both sides read it."))
    (handoff,) = locks.rows(Handoff.objects.select_related("lead__person"), [appeal.handoff_id])
    (current,) = locks.rows(Appeal.objects.select_related("arbiter", "handoff"), [appeal.pk])
    if not reads.is_judge(current, actor):
        raise AppealNotAllowed(_("Its arbiter rules on an appeal, and nobody who is a party to it."))
    if current.ruled_at is not None:
        raise AlreadyRuled(_("This appeal was ruled on already."))
    if expected_version is not None and expected_version != current.version:
        raise AppealChanged(_("Somebody else changed this appeal first. Look at it again."))
    current.ruling, current.ruling_note, current.definition_unclear = ruling, note, definition_unclear
    current.ruled_by, current.ruled_at = actor, now
    current.version, current.updated_at = current.version + 1, now
    current.save(
        update_fields=[
            "ruling", "ruling_note", "definition_unclear", "ruled_by", "ruled_at", "version", "updated_at",
        ]
    )  # fmt: skip
    Handoff.objects.filter(pk=handoff.pk).update(state=ruling, version=F("version") + 1, updated_at=now)
    if definition_unclear:
        _discuss(current, handoff, actor, now)
    if ruling == Ruling.UPHELD:
        routing.credit(handoff_id=handoff.pk, now=now)
    else:
        routing.debit(handoff_id=handoff.pk, now=now)
        _bring_back(handoff, actor, now)
    events.publish(AppealRuled(current.pk, handoff.pk, handoff.lead_id, ruling, actor.pk, now))
    return current


@transaction.atomic
def run_once(*, now: datetime, limit: int) -> int:
    """Give the turn back for returns that nobody contested in time; returns how many."""
    turns = RoutingDecision.objects.filter(handoff=OuterRef("pk"), pool__isnull=False).order_by("-pk")
    stand = (
        Handoff.objects.filter(
            state=HandoffState.RETURNED,
            answered_at__gt=now - LOOKBACK,
            return_reason__in=[code for code, reason in RETURN_REASONS.items() if reason.is_rejection],
            appeal=None,
        )
        .filter(reads.stands(now))
        .annotate(credited_at=Subquery(turns.values("credited_at")[:1]))
        .filter(Exists(turns), credited_at=None)
        .order_by("answered_at", "pk")
    )
    found = list(stand.values_list("pk", flat=True)[:limit])
    return sum(routing.credit(handoff_id=handoff_id, now=now) for handoff_id in found)


def _arbiter(handoff: Handoff, appellant: User) -> int | None:
    """Managers of both sides in turn; an admin only where there is no other."""
    parties = (appellant.pk, handoff.answered_by_id, handoff.owner_id)
    managers = [r for r, may in CAPABILITIES.items() if Capability.RULE_APPEALS in may]
    known = User.objects.active().filter(role__in=managers).order_by("pk")
    cases = dict(Appeal.objects.filter(arbiter__in=known).values_list("arbiter").annotate(n=Count("pk")))
    judges = [
        (rules.Judge(user.pk, cases.get(user.pk, 0)), user.may(Capability.MANAGE_USERS)) for user in known
    ]
    first = rules.arbiter([judge for judge, is_admin in judges if not is_admin], parties=parties)
    return first or rules.arbiter([judge for judge, _is_admin in judges], parties=parties)


def _bring_back(handoff: Handoff, actor: User, now: datetime) -> None:
    """The lead is an MQL again and delivered to another rep, unless it has gone on meanwhile."""
    lead = handoff.lead
    state = lifecycle.lock_laps(lead_ids=[lead.pk])[lead.pk]
    other = laps.open_of(lead.person_id)
    has_moved = state.stage.code != RETURN_REASONS[handoff.return_reason].next_stage
    later = Handoff.objects.filter(lead=lead, pk__gt=handoff.pk)
    if has_moved or later.exists() or (other is not None and other.pk != lead.pk):
        return
    lifecycle.move(
        lead=lead,
        to="mql",
        cause=MoveCause.CORRECTION,
        reason=_("Return overturned"),
        actor=actor,
        at=now,
        now=now,
        reopen=True,
    )
    try:
        with transaction.atomic():
            delivery.deliver(lead=lead, actor=None, now=now)
    except (delivery.NeverDelivered, delivery.NotDeliverable):
        return  # refused by somebody else since, or with sales by another way: the lead's page says so


def _discuss(current: Appeal, handoff: Handoff, actor: User, now: datetime) -> None:
    words = {
        "reason": handoff.get_return_reason_display(),
        "pk": handoff.lead_id,
        "note": current.ruling_note,
    }
    text = _("Unclear by an appeal against “%(reason)s” (lead %(pk)d): %(note)s") % words
    definition_comments.add(definition=definitions.in_force(), text=text[:LONGEST], author=actor, now=now)


def _text(text: str, field: str, detail: str) -> str:
    text = text.strip()
    if not text or len(text) > LONGEST or "\x00" in text:
        raise AppealIncomplete(detail, errors=[FieldError(field, "required", detail)])
    return text
