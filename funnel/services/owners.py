"""Who is responsible for a lead: a ledger of assignments and the owner column of its state."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import DEFAULT_DB_ALIAS, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from funnel.events import OwnerChanged
from funnel.models import Assignment, Handoff, HandoffState, LeadState
from funnel.services import lifecycle
from leads.models import Lead
from smarketing.core import events
from smarketing.core.errors import Conflict, Denied, FieldError, Invalid
from smarketing.core.prepared import Query, Statement, given
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User

BY_HAND = "manual"
# The ledger and the column that follows it; the state is locked.
_OWNED = Statement(
    "state_owned",
    """
WITH state AS (
  UPDATE funnel_leadstate
     SET owner_id = %(owner)s::bigint, assignment_seq = %(seq)s::int, version = version + 1
   WHERE lead_id = %(lead)s::bigint
)
INSERT INTO funnel_assignment (lead_id, seq, from_owner_id, to_owner_id, reason, record, actor_id, at)
VALUES (%(lead)s::bigint, %(seq)s::int, %(before)s::bigint, %(owner)s::bigint, %(reason)s::text,
        %(record)s::jsonb, %(actor)s::bigint, %(at)s::timestamptz)
RETURNING id
""",
)
_OWNER = Query("owner_allowed", lambda: User.objects.owners().filter(pk=given("user")).order_by())


class NotAnOwner(Invalid):
    """The user can't be responsible for leads."""

    code = "not_an_owner"


class OwnerChangeNotAllowed(Denied):
    """Changing owners by hand is a manager's."""

    code = "owner_change_not_allowed"


class WaitingForAnswer(Conflict):
    """A delivered lead has an owner until its handoff is answered."""

    code = "handoff_waits"


def check(*, owner: User) -> User:
    """``owner`` if leads may be theirs. Raises :class:`NotAnOwner`."""
    if _OWNER.first(user=owner.pk) is None:
        detail = _("Choose an active sales rep or sales manager.")
        raise NotAnOwner(detail, errors=[FieldError("owner", NotAnOwner.code, detail)])
    return owner


@transaction.atomic
def assign(
    *,
    lead: Lead,
    owner: User | None,
    reason: str,
    actor: User | None,
    now: datetime,
    record: Mapping[str, Any] | None = None,
) -> Assignment | None:
    """Make ``owner`` (or nobody) responsible; ``None`` when that is so already.

    ``record`` says why this rep, as routing saw it. A handoff that waits for an answer goes along to
    the new owner. Publishes :class:`OwnerChanged`. Raises :class:`NotAnOwner`,
    :class:`OwnerChangeNotAllowed` (by hand without the right), :class:`WaitingForAnswer`.
    """
    if reason == BY_HAND and (actor is None or not actor.may(Capability.CHANGE_OWNER)):
        raise OwnerChangeNotAllowed(_("Your role may not change owners."))
    if owner is not None:
        check(owner=owner)
    lock_waiting(lead_ids=[lead.pk])
    state = lifecycle.locked(lead_id=lead.pk)
    return _assign(state, owner, reason=reason, actor=actor, record=record or {}, now=now)


def give(
    *,
    state: LeadState,
    owner: User,
    reason: str,
    actor: User | None,
    now: datetime,
    record: Mapping[str, Any] | None = None,
) -> Assignment | None:
    """As :func:`assign` for a delivery: the state is locked, the owner chosen, the handoff theirs already."""
    if state.owner_id == owner.pk:
        return None
    return _write(state, owner, reason=reason, actor=actor, record=record or {}, now=now)


def owner_of(*, state: LeadState) -> User | None:
    """The lead's own owner, while they may own leads."""
    return None if state.owner_id is None else _OWNER.first(user=state.owner_id)


@transaction.atomic
def assign_many(*, leads: Sequence[Lead], owner: User | None, actor: User, now: datetime) -> list[Assignment]:
    """Change the owner of many leads by hand, whole or not at all; leads of that owner are left alone."""
    if not actor.may(Capability.CHANGE_OWNER):
        raise OwnerChangeNotAllowed(_("Your role may not change owners."))
    if owner is not None:
        check(owner=owner)
    lock_waiting(lead_ids=[lead.pk for lead in leads])
    states = lifecycle.lock(lead_ids=[lead.pk for lead in leads])
    made = [
        _assign(state, owner, reason=BY_HAND, actor=actor, record={}, now=now) for state in states.values()
    ]
    return [assignment for assignment in made if assignment is not None]


def lock_waiting(*, lead_ids: Sequence[int]) -> None:
    """Lock the handoffs that go along, before the states: the order of answers and of the sweep."""
    waiting = Handoff.objects.filter(lead_id__in=lead_ids, state=HandoffState.DELIVERED).order_by("pk")
    list(waiting.select_for_update(no_key=True).values_list("pk"))


def _assign(
    state: LeadState,
    owner: User | None,
    *,
    reason: str,
    actor: User | None,
    record: Mapping[str, Any],
    now: datetime,
) -> Assignment | None:
    if state.owner_id == (owner.pk if owner else None):
        return None
    waiting = Handoff.objects.filter(lead_id=state.lead_id, state=HandoffState.DELIVERED)
    if owner is None and waiting.exists():
        raise WaitingForAnswer(_("This lead waits for an answer; give it to another owner instead."))
    if owner is not None:
        waiting.exclude(owner=owner).update(owner=owner, version=F("version") + 1, updated_at=now)
    return _write(state, owner, reason=reason, actor=actor, record=record, now=now)


def _write(
    state: LeadState,
    owner: User | None,
    *,
    reason: str,
    actor: User | None,
    record: Mapping[str, Any],
    now: datetime,
) -> Assignment:
    """The ledger, the column, and the fact."""
    before = state.owner_id
    assignment = Assignment(
        lead_id=state.lead_id,
        seq=state.assignment_seq + 1,
        from_owner_id=before,
        to_owner=owner,
        reason=reason,
        record=dict(record),
        actor=actor,
        at=now,
    )
    ((assignment.pk,),) = _OWNED.rows(
        lead=state.lead_id,
        seq=assignment.seq,
        before=before,
        owner=assignment.to_owner_id,
        reason=reason,
        record=json.dumps(assignment.record),
        actor=assignment.actor_id,
        at=now,
    )
    assignment._state.adding, assignment._state.db = False, DEFAULT_DB_ALIAS
    events.publish(
        OwnerChanged(
            lead_id=state.lead_id,
            from_owner_id=before,
            to_owner_id=owner.pk if owner else None,
            reason=reason,
            actor_id=actor.pk if actor else None,
            now=now,
        )
    )
    return assignment
