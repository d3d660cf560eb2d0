"""Looking up appeals against returns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from django.db.models import Q, QuerySet

from funnel.domain import appeals as rules
from funnel.models import Appeal, Handoff, HandoffState
from smarketing.core.prepared import Tally, given
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User

_WAITING_FOR = Tally("appeals_waiting_for", lambda: Appeal.objects.waiting().filter(arbiter=given("user")))
Agreed = Callable[[], Sequence[rules.Term]]
_agreed: list[Agreed] = []


def register(agreed: Agreed) -> None:
    """Called from the wiring: for how long the agreement lets marketing contest a return, newest first."""
    _agreed[:] = [agreed]


def terms() -> Sequence[rules.Term]:
    """The windows that were agreed, newest first; empty where nobody keeps an agreement."""
    return _agreed[0]() if _agreed else ()


def closes_at(returned_at: datetime) -> datetime:
    """From when on a return stands that sales gave at ``returned_at``."""
    return returned_at + rules.window(terms(), returned_at)


def stands(now: datetime) -> Q:
    """Returns that can be contested no more at ``now``, by what was agreed when each was given."""
    known = [*terms()]
    if not known or known[-1].since is not None:
        known.append(rules.Term(None, rules.DEFAULT_WINDOW))
    found, until = Q(pk__in=[]), None
    for term in known:
        part = Q(answered_at__lte=now - term.window)
        if term.since is not None:
            part &= Q(answered_at__gte=term.since)
        if until is not None:
            part &= Q(answered_at__lt=until)
        found, until = found | part, term.since
    return found


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
    return _WAITING_FOR.of(user=user.pk)


def may_appeal(handoff: Handoff, user: User, *, now: datetime) -> bool:
    """Whether ``user`` can contest this return now, as far as is known without asking for an appeal."""
    return (
        user.may(Capability.APPEAL_RETURNS)
        and handoff.state == HandoffState.RETURNED
        and handoff.answered_at is not None
        and now < closes_at(handoff.answered_at)
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
