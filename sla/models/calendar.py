"""Business calendars in versions: a clock keeps the version it was started with."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from smarketing.core.models import Stamped
from smarketing.users.models import User


class Calendar(Stamped):
    """A named business calendar, such as that of a team."""

    name = models.CharField(_("name"), max_length=120, unique=True)
    is_default = models.BooleanField(default=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=models.Q(is_default=True), name="one_default_calendar"
            )
        ]

    def __str__(self) -> str:
        return self.name


class OwnHours(Stamped):
    """A rep whose promises are counted by a calendar of their own: part-time, another zone, shifts.

    It stands in place of the calendar that a clause names, for clocks that start from then on; its versions
    are those of the calendar. Routing asks it for pools that keep hours.
    """

    user = models.OneToOneField(User, primary_key=True, on_delete=models.CASCADE, related_name="own_hours")
    calendar = models.ForeignKey(Calendar, on_delete=models.PROTECT, related_name="people")
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    objects: ClassVar[models.Manager[OwnHours]] = models.Manager()

    class Meta:
        verbose_name_plural = "own hours"

    def __str__(self) -> str:
        return f"{self.user_id} by calendar {self.calendar_id}"


class CalendarVersion(models.Model):
    """One version; ``body`` is the canonical document of ``sla.domain.calendars``. Never changed."""

    calendar = models.ForeignKey(Calendar, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    body = models.JSONField()
    author = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    objects: ClassVar[models.Manager[CalendarVersion]] = models.Manager()

    class Meta:
        ordering = ["calendar", "-number"]
        constraints = [models.UniqueConstraint(fields=["calendar", "number"], name="calendar_version_once")]

    def __str__(self) -> str:
        return f"{self.calendar} v{self.number}"
