"""Who is away: one's own absences, and those of all for whoever may give leads to others."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet

from funnel.models import Absence
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User

RUNNING, COMING, PAST = "running", "coming", "past"


def visible_to(user: User) -> QuerySet[Absence]:
    """The absences that ``user`` may read: a note may say why, so a colleague's is not everybody's."""
    found = Absence.objects.select_related("user", "author")
    if user.may(Capability.CHANGE_OWNER):
        return found
    return found.filter(user=user) if user.may(Capability.VIEW) else found.none()


def in_state(absences: QuerySet[Absence], state: str, *, now: datetime) -> QuerySet[Absence]:
    """Those that run, come or are over at ``now``."""
    conditions = {
        RUNNING: Q(starts_at__lte=now) & (Q(ends_at=None) | Q(ends_at__gt=now)),
        COMING: Q(starts_at__gt=now),
        PAST: Q(ends_at__lte=now),
    }
    return absences.filter(conditions[state])


def state_of(absence: Absence, *, now: datetime) -> str:
    """Whether it runs, comes or is over."""
    if absence.starts_at > now:
        return COMING
    return PAST if absence.ends_at is not None and absence.ends_at <= now else RUNNING
