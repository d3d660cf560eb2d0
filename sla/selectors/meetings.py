"""Reads of the meetings of the two teams."""

from __future__ import annotations

from django.db.models import QuerySet

from sla.models import TeamMeeting
from smarketing.core.periods import Period
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User


def visible_to(user: User) -> QuerySet[TeamMeeting]:
    """All of them, with who entered them and who was there: both teams see what both agreed to."""
    found = TeamMeeting.objects.select_related("recorded_by", "voided_by").prefetch_related("attendees")
    return found if user.may(Capability.VIEW) else found.none()


def held(period: Period) -> QuerySet[TeamMeeting]:
    """The meetings that count in the period."""
    found = TeamMeeting.objects.filter(voided_at=None)
    if period.start is not None:
        found = found.filter(held_at__gte=period.start)
    if period.end is not None:
        found = found.filter(held_at__lt=period.end)
    return found


def people() -> QuerySet[User]:
    """Who can have been there: the active colleagues of both teams."""
    return User.objects.get_queryset().active().order_by("name", "pk")
