"""Meetings of the two teams, as they were held: what the promised cadence is measured by."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from smarketing.users.models import User


class MeetingQuerySet(models.QuerySet["TeamMeeting"]):
    """Chainable verbs over meetings."""

    def held(self) -> MeetingQuerySet:
        """Those that count: not taken back."""
        return self.filter(voided_at=None)


class TeamMeeting(models.Model):
    """One meeting that somebody of each side attended. A mistake is taken back with a reason and stays."""

    held_at = models.DateTimeField(_("held"))
    attendees: models.ManyToManyField[User, models.Model] = models.ManyToManyField(
        User, related_name="team_meetings", verbose_name=_("who was there")
    )
    note = models.CharField(_("what was decided"), max_length=2000, blank=True)
    recorded_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    recorded_at = models.DateTimeField()
    voided_at = models.DateTimeField(null=True)
    voided_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    void_reason = models.CharField(max_length=300, blank=True)

    objects: ClassVar[models.Manager[TeamMeeting]] = MeetingQuerySet.as_manager()

    class Meta:
        constraints = [
            # A second click or another colleague's entry of the same meeting; read by periods, too.
            models.UniqueConstraint(
                fields=["held_at"], condition=models.Q(voided_at=None), name="team_meeting_once"
            ),
            models.CheckConstraint(
                condition=models.Q(voided_at=None) | ~models.Q(void_reason=""), name="voided_meeting_says_why"
            ),
        ]

    def __str__(self) -> str:
        return f"meeting of {self.held_at:%Y-%m-%d %H:%M}"
