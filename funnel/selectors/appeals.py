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


def may_rule(appeal: Appeal, user: User) -> bool:
    """Whether the page offers ``user`` the ruling; the service has the last word."""
    return appeal.ruled_at is None and appeal.arbiter_id == user.pk and user.may(Capability.RULE_APPEALS)
