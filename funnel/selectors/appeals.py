"""Looking up appeals against returns."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet

from funnel.domain import appeals as rules
from funnel.models import Appeal, Handoff, HandoffState
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User


def listed(user: User) -> QuerySet[Appeal]:
    """Appeals that ``user`` may see, with what both sides said and who said it."""
    return Appeal.objects.visible_to(user).select_related(
        "handoff__lead__person", "handoff__lead__company", "handoff__owner", "handoff__answered_by",
        "appellant", "arbiter", "ruled_by",
    )  # fmt: skip


def of_handoff(handoff_id: int) -> Appeal | None:
    """The appeal against this return, if there is one."""
    found = Appeal.objects.filter(handoff=handoff_id)
    return found.select_related("appellant", "arbiter", "ruled_by").first()


def waiting_for(user: User) -> int:
    """How many appeals wait for this user's ruling."""
    return Appeal.objects.waiting().filter(arbiter=user).count()


def may_appeal(handoff: Handoff, user: User, *, now: datetime) -> bool:
    """Whether ``user`` can contest this return now, as far as is known without asking for an appeal."""
    return (
        user.may(Capability.APPEAL_RETURNS)
        and handoff.state == HandoffState.RETURNED
        and handoff.answered_at is not None
        and now < handoff.answered_at + rules.WINDOW
    )


def is_judge(appeal: Appeal, user: User) -> bool:
    """Whether ``user`` may rule: its arbiter, an admin, or any manager in place of one who is missing.

    Nobody rules on their own word: who appeals, who returned the lead and who got it are parties.
    """
    handoff, arbiter = appeal.handoff, appeal.arbiter
    is_party = user.pk in {appeal.appellant_id, handoff.answered_by_id, handoff.owner_id}
    if is_party or not user.may(Capability.RULE_APPEALS):
        return False
    is_missing = arbiter is None or not arbiter.is_active
    return user == arbiter or is_missing or user.may(Capability.MANAGE_USERS)
