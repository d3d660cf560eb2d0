"""The loop of nurture: who has little interest goes there, and who is due comes back.

Both are dated at the instant they were due, so that it does not matter when the loop ran.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from funnel.events import LeadReturned
from funnel.models import (
    LeadAction,
    LeadScore,
    LeadState,
    MoveCause,
    Nurture,
    NurtureRule,
    NurtureState,
    Opportunity,
    OpportunityStageKind,
    StageTransition,
)
from funnel.selectors import stages
from funnel.services import lifecycle, nurtures
from leads.models import Lead
from leads.services import people, returning
from smarketing.core import events
from smarketing.core.errors import Denied
from smarketing.core.prepared import Statement
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User

ORIGIN = "Nurture"
# The loop finds nothing nearly always; this asks so in one look-up of each index.
_WAITS = Statement(
    "nurture_waits",
    """
SELECT EXISTS (SELECT FROM funnel_nurture WHERE state = 'active' AND due_at <= %(now)s::timestamptz)
    OR EXISTS (SELECT FROM funnel_nurturerule r JOIN funnel_leadscore s
                  ON s.action = 'nurture'
                 AND s.evaluated_at <= %(now)s::timestamptz - r.settle_days * interval '1 day'
                 AND (s.evaluated_at, s.lead_id) > (coalesce(r.looked_at, '-infinity'), r.looked_lead)
                WHERE r.id = 1)
""",
)


class ReturnNotAllowed(Denied):
    """Bringing somebody back is marketing's."""

    code = "return_not_allowed"


def run_once(*, now: datetime, limit: int) -> int:
    """Bring back who is due, then send on who fits and shows little interest; how many moved or were seen."""
    if not _WAITS.rows(now=now)[0][0]:
        return 0
    due = Nurture.objects.active().filter(due_at__lte=now).order_by("due_at", "lead_id")
    back = 0
    for lead_id, at in list(due.values_list("lead_id", "due_at")[:limit]):
        _bring_back(lead_id, actor=None, at=at or now, now=now)
        back += 1
    return back + _settle(now=now, limit=max(limit - back, 1))


def bring_back(*, nurture: Nurture, actor: User, now: datetime) -> Lead:
    """Marketing says that somebody is ready; the lead that goes on, which may be a new lap.

    Raises :class:`ReturnNotAllowed`, ``NotInNurture``.
    """
    if not actor.may(Capability.DELIVER):
        raise ReturnNotAllowed(_("Your role may not bring a lead back from nurture."))
    lead = _bring_back(nurture.pk, actor=actor, at=now, now=now)
    if lead is None:
        raise nurtures.NotInNurture(_("This lead is no longer in nurture."))
    return lead


@transaction.atomic
def _bring_back(lead_id: int, *, actor: User | None, at: datetime, now: datetime) -> Lead | None:
    """The lead that goes on: the same, if it never qualified, else the next lap; ``None``: it was not there.

    The order of locks is that of every end of a lap: person, lead, state.
    """
    lead = Lead.objects.select_related("person").get(pk=lead_id)
    people.lock(pk=lead.person_id)
    state = lifecycle.lock_laps(lead_ids=[lead_id]).get(lead_id)
    nurture = Nurture.objects.select_for_update().get(pk=lead_id)
    if nurture.state != NurtureState.ACTIVE or state is None or state.stage.code != nurtures.STAGE:
        return None
    at = max(at, nurture.began_at)
    if Opportunity.objects.filter(lead=lead_id, stage__kind=OpportunityStageKind.OPEN).exists():
        Nurture.objects.filter(pk=lead_id).update(state=NurtureState.PAUSED, updated_at=now)
        return None
    is_over = _was_mql(state)
    to = "recycled" if is_over else "lead"
    reason = _reason(nurture, by_hand=actor is not None)
    lifecycle.move(lead=lead, to=to, cause=MoveCause.RE_ENTERED, reason=reason, actor=actor, at=at, now=now)
    went_on = returning.open_next(after=lead, origin=ORIGIN, at=at, now=now) if is_over else lead
    Nurture.objects.filter(pk=lead_id).update(next_lead=went_on if is_over else None, updated_at=now)
    events.publish(
        LeadReturned(
            lead_id=lead_id,
            next_lead_id=went_on.pk,
            owner_id=nurture.owner_id,
            reason=reason,
            returned_at=at,
            now=now,
        )
    )
    return went_on


def _was_mql(state: LeadState) -> bool:
    """Whether the lead entered nurture from MQL or beyond: then its lap is told as recycled."""
    entry = StageTransition.objects.select_related("from_stage").get(lead=state.lead_id, seq=state.seq)
    code = entry.from_stage.code if entry.from_stage else None
    ladder = stages.road().ladder
    step = ladder.by_code.get(code or "")
    return step is not None and step.on_ladder and ladder.reaches(step.code, "mql")


def _reason(nurture: Nurture, *, by_hand: bool) -> str:
    if by_hand:
        return _("Marketing says they are ready")
    if nurture.gained_at is not None and nurture.due_at == nurture.gained_at:
        return _("Gained %(points)s points of interest") % {"points": nurture.gain_points}
    return _("The agreed day has come")


@transaction.atomic
def _settle(*, now: datetime, limit: int) -> int:
    """Send those to nurture whose cell has said so for long enough and who are still leads.

    The scores are read on from where the last run stopped, by ``scores_to_nurture``; how many were read.
    """
    ours = NurtureRule.objects.select_for_update(skip_locked=True).filter(pk=1).first()
    if ours is None:
        return 0
    settle = timedelta(days=ours.settle_days)
    scores = LeadScore.objects.filter(action=LeadAction.NURTURE, evaluated_at__lte=now - settle)
    if ours.looked_at is not None:
        later = Q(evaluated_at__gt=ours.looked_at) | Q(evaluated_at=ours.looked_at, lead__gt=ours.looked_lead)
        scores = scores.filter(later, evaluated_at__gte=ours.looked_at)
    rows = list(scores.order_by("evaluated_at", "lead_id").values_list("lead_id", "evaluated_at")[:limit])
    if not rows:
        return 0
    since = dict(rows)
    waiting = LeadState.objects.filter(
        lead_id__in=list(since), stage__code="lead", owner=None, lead__closed_at=None, lead__nurture=None
    )
    for state in lifecycle.lock(lead_ids=list(waiting.values_list("lead_id", flat=True))).values():
        # Somebody may have moved it, or taken it over, while we waited for the lock.
        if state.stage.code == "lead" and state.owner_id is None:
            at = since[state.lead_id] + settle
            cause = MoveCause.NURTURED
            lifecycle.move(lead=state.lead, to=nurtures.STAGE, cause=cause, actor=None, at=at, now=now)
    last_lead, last_at = rows[-1]
    NurtureRule.objects.filter(pk=1).update(looked_at=last_at, looked_lead=last_lead)
    return len(rows)
