"""Whose promises are counted by a calendar of their own."""

from __future__ import annotations

from django.db.models import QuerySet

from sla.models import Calendar, CalendarVersion, OwnHours
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User


def visible_to(user: User) -> QuerySet[OwnHours]:
    """Everybody may see by whose hours a promise is counted."""
    found = OwnHours.objects.select_related("user", "calendar", "author")
    return found if user.may(Capability.VIEW) else found.none()


def people_of(calendar: Calendar) -> list[OwnHours]:
    """Who is counted by this calendar whatever a clause says, by name."""
    found = OwnHours.objects.filter(calendar=calendar).select_related("user", "author")
    return list(found.order_by("user__name", "user"))


def of_user(user: User) -> OwnHours | None:
    """The calendar that counts for this user alone, if there is one."""
    return OwnHours.objects.filter(user=user).select_related("calendar").first()


def could_have() -> QuerySet[User]:
    """Whoever can own leads, and so make promises in time."""
    return User.objects.owners().order_by("name", "pk")


def version_for(owner_id: int, *, calendar_id: int | None) -> CalendarVersion:
    """The newest version of the owner's own calendar, else of the one that is given."""
    own = OwnHours.objects.filter(user=owner_id).values_list("calendar_id", flat=True).first()
    return CalendarVersion.objects.filter(calendar=own or calendar_id).order_by("-number")[:1].get()
