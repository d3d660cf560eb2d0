"""Reads of the ledger of moves."""

from __future__ import annotations

from django.db.models import QuerySet

from funnel.models import StageTransition
from leads.models import Lead
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User


def visible_to(user: User) -> QuerySet[StageTransition]:
    """Both teams read the same leads (R43); whoever may not view gets none."""
    moves = StageTransition.objects.select_related("from_stage", "to_stage")
    return moves if user.may(Capability.VIEW) else moves.none()


def last_of(lead: Lead) -> StageTransition:
    """The latest move of a lead; every lead has one, by which it was placed."""
    return StageTransition.objects.select_related("from_stage", "to_stage").filter(lead=lead).latest("seq")
