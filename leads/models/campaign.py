"""Campaigns: the marketing effort that a lead or touchpoint belongs to."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from leads.models.source import Channel, FromSource
from smarketing.core.models import Stamped, Versioned
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User


class CampaignKind(models.TextChoices):
    """What a campaign does."""

    ADVERTISING = "advertising", _("Advertising")
    CONTENT = "content", _("Content")
    EMAIL = "email", _("E-mail")
    EVENT = "event", _("Event")
    PARTNER = "partner", _("Partner")
    PR = "pr", _("PR")
    SOCIAL = "social", _("Social media")
    OTHER = "other", _("Other")


class CampaignStatus(models.TextChoices):
    """Where a campaign stands."""

    PLANNED = "planned", _("Planned")
    ACTIVE = "active", _("Active")
    COMPLETED = "completed", _("Completed")
    ABORTED = "aborted", _("Aborted")


class CampaignQuerySet(models.QuerySet["Campaign"]):
    """Chainable verbs over campaigns."""

    def visible_to(self, user: User) -> CampaignQuerySet:
        """Both teams read the same records (R43); whoever may not view gets none."""
        return self.all() if user.may(Capability.VIEW) else self.none()


class Campaign(Stamped, Versioned, FromSource):
    """A marketing effort with a time, a cost and an owner who is told its leads' fate."""

    name = models.CharField(_("name"), max_length=255)
    kind = models.CharField(_("kind"), max_length=20, choices=CampaignKind.choices, default="other")
    status = models.CharField(_("status"), max_length=12, choices=CampaignStatus.choices, default="active")
    channel = models.ForeignKey(Channel, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    owner = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    starts_on = models.DateField(_("starts on"), null=True, blank=True)
    ends_on = models.DateField(_("ends on"), null=True, blank=True)
    budget = models.DecimalField(_("budget"), max_digits=18, decimal_places=2, null=True, blank=True)
    actual_cost = models.DecimalField(
        _("cost so far"), max_digits=18, decimal_places=2, null=True, blank=True
    )
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    description = models.TextField(_("description"), blank=True)
    attributes = models.JSONField(default=dict, blank=True)

    objects: ClassVar[models.Manager[Campaign]] = CampaignQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="campaign_from_source_once")
        ]
        indexes = [models.Index(fields=["name", "id"], name="campaign_list_by_name")]

    def __str__(self) -> str:
        return self.name
