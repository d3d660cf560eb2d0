"""Leads that marketing keeps warm: whose they are, why, and what brings them back."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from leads.models import Lead
from smarketing.core.models import Stamped, Versioned
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User


class NurtureState(models.TextChoices):
    """Whether marketing has the lead."""

    ACTIVE = "active", _("Kept warm")
    PAUSED = "paused", _("Paused: sales has taken over")
    ENDED = "ended", _("Ended")


class NurtureCause(models.TextChoices):
    """What sent the lead to nurture."""

    LOW_INTEREST = "low_interest", _("Fits, little interest yet")
    RETURNED = "returned", _("Returned by sales")
    OVERFLOW = "overflow", _("Above the agreed ceiling")
    MANUAL = "manual", _("By hand")
    IMPORTED = "imported", _("Imported")


class NurtureQuerySet(models.QuerySet["Nurture"]):
    """Chainable verbs over episodes of nurture."""

    def visible_to(self, user: User) -> NurtureQuerySet:
        """Both teams read the same leads (R43); whoever may not view gets none."""
        return self.all() if user.may(Capability.VIEW) else self.none()

    def active(self) -> NurtureQuerySet:
        """Those that marketing has in hand."""
        return self.filter(state=NurtureState.ACTIVE)


class Nurture(Stamped, Versioned):
    """A lead's latest time in nurture; earlier ones stand in the ledger of stages.

    Who never qualified comes back by the definition alone. Who did comes back as the next lap when
    ``gain_points`` of new interest have come together, or at ``returns_at``; ``due_at`` is the earlier
    of what is known of both. Written only by ``funnel.services.nurtures`` and ``.nurture_returns``.
    """

    lead = models.OneToOneField(Lead, primary_key=True, on_delete=models.CASCADE, related_name="nurture")
    owner = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    state = models.CharField(max_length=8, choices=NurtureState.choices, default=NurtureState.ACTIVE)
    cause = models.CharField(max_length=12, choices=NurtureCause.choices)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    began_at = models.DateTimeField()
    gain_points = models.PositiveIntegerField(_("points to gain"), null=True, blank=True)
    returns_at = models.DateTimeField(_("comes back on"), null=True, blank=True)
    gained_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    next_lead = models.ForeignKey(
        Lead, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )

    objects: ClassVar[models.Manager[Nurture]] = NurtureQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(gain_points=None) | models.Q(gain_points__gt=0),
                name="nurture_gain_above_zero",
            ),
            models.CheckConstraint(
                condition=models.Q(ended_at=None) ^ models.Q(state="ended"), name="nurture_ended_with_instant"
            ),
        ]
        indexes = [
            # The page of nurture, newest first; the loop that brings leads back; the load of a marketer.
            models.Index(fields=["state", "-began_at", "-lead"], name="nurture_by_state"),
            models.Index(
                fields=["due_at", "lead"],
                name="nurture_due",
                condition=models.Q(state="active", due_at__isnull=False),
            ),
            models.Index(
                fields=["owner", "-began_at"], name="nurture_of_owner", condition=models.Q(state="active")
            ),
            # A lead that is removed asks who points at it.
            models.Index(
                fields=["next_lead"],
                name="nurture_of_next_lap",
                condition=models.Q(next_lead__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"nurture of {self.lead_id}"


class NurtureRule(Stamped, Versioned):
    """How the organisation keeps leads warm. Always row 1.

    A lead whose cell says "nurture" goes there when it has said so for ``settle_days``. The other two
    are what an episode of somebody who had qualified starts with. ``looked_at`` and ``looked_lead`` are
    how far the loop has read the scores.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    settle_days = models.PositiveSmallIntegerField(_("days as a lead first"), default=7)
    gain_points = models.PositiveIntegerField(_("points to gain"), default=25)
    return_days = models.PositiveSmallIntegerField(_("comes back after days"), default=90)
    looked_at = models.DateTimeField(null=True)
    looked_lead = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="one_nurture_rule"),
            models.CheckConstraint(condition=models.Q(settle_days__gte=1), name="nurture_settles_a_day"),
        ]

    def __str__(self) -> str:
        return "nurture"
