"""Moves that somebody makes by hand: one lead with what its stage asks for, or many at once.

The move itself is made by :mod:`funnel.services.lifecycle`, as every other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from funnel.models import LeadState, MoveCause
from funnel.services import lifecycle, qualifications, stage_gates
from leads.models import Lead
from smarketing.core.errors import DomainError, Stale
from smarketing.users.models import User


class LeadHasMoved(Stale):
    """Somebody or something moved the lead since it was read."""


@dataclass(frozen=True, slots=True)
class Found:
    """What somebody found out in talking with the person."""

    need: str
    budget: Decimal | None
    currency: str


@transaction.atomic
def move(
    *,
    lead: Lead,
    to: str,
    reason: str,
    actor: User,
    now: datetime,
    found: Found | None = None,
    expected_version: int | None = None,
) -> LeadState:
    """Take ``lead`` to stage ``to``, and record need and budget with it where they are given.

    Raises :class:`LeadHasMoved`, and what ``lifecycle.move`` and ``qualifications.record`` raise; then
    nothing is recorded either.
    """
    if to in lifecycle.ENDS:
        lifecycle.lock_laps(lead_ids=[lead.pk])
    state = lifecycle.locked(lead_id=lead.pk)
    if expected_version is not None and state.version != expected_version:
        raise LeadHasMoved(_("This lead has moved meanwhile. Look at it again."))
    if to == stage_gates.SQL and found is not None and (found.need.strip() or found.budget is not None):
        qualifications.record(
            lead=lead,
            need=found.need,
            budget=found.budget,
            currency=found.currency,
            actor=actor,
            now=now,
        )
    return lifecycle.move(
        lead=lead, to=to, cause=MoveCause.MANUAL, reason=reason, actor=actor, at=now, now=now
    )


@transaction.atomic
def move_many(
    *, leads: Sequence[Lead], to: str, reason: str, actor: User, now: datetime
) -> tuple[int, list[tuple[Lead, str]]]:
    """Take each of ``leads`` to stage ``to``; how many moved, and which could not, with why.

    One that can't be moved keeps nobody else back. Raises ``MoveNotAllowed`` for all of them.
    """
    moved, refused = 0, []
    lifecycle.lock_laps(lead_ids=[lead.pk for lead in leads])
    for lead in sorted(leads, key=lambda each: each.pk):
        before = LeadState.objects.values_list("seq", flat=True).filter(lead=lead).first()
        try:
            with transaction.atomic():
                state = move(lead=lead, to=to, reason=reason, actor=actor, now=now)
        except lifecycle.MoveNotAllowed:
            raise
        except DomainError as error:
            refused.append((lead, error.detail))
        else:
            moved += state.seq != before
    return moved, refused
