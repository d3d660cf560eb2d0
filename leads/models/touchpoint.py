"""Touchpoints: one marketing or sales contact each."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from leads.models.campaign import Campaign
from leads.models.lead import Lead
from leads.models.person import Person
from leads.models.source import Channel, FromSource
from smarketing.core.models import Stamped
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User


class TouchpointKind(models.TextChoices):
    """What the contact was."""

    VISIT = "visit", _("Website visit")
    FORM = "form", _("Form")
    EMAIL = "email", _("E-mail")
    AD = "ad", _("Advertisement")
    EVENT = "event", _("Event")
    SOCIAL = "social", _("Social media")
    PR = "pr", _("Press")
    RECOMMENDATION = "recommendation", _("Recommendation")
    OTHER = "other", _("Other")


class TouchpointQuerySet(models.QuerySet["Touchpoint"]):
    """Chainable verbs over touchpoints."""

    def visible_to(self, user: User) -> TouchpointQuerySet:
        """Both teams read the same records (R43); whoever may not view gets none."""
        return self.all() if user.may(Capability.VIEW) else self.none()


class Touchpoint(Stamped, FromSource):
    """A contact of a person with us: channel, campaign, content, time."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="touchpoints", db_index=False)
    lead = models.ForeignKey(
        Lead, null=True, blank=True, on_delete=models.SET_NULL, related_name="touchpoints"
    )
    occurred_at = models.DateTimeField(_("when"))
    kind = models.CharField(_("kind"), max_length=20, choices=TouchpointKind.choices, default="other")
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="+", db_index=False)
    campaign = models.ForeignKey(
        Campaign, null=True, blank=True, on_delete=models.SET_NULL, related_name="touchpoints"
    )
    title = models.CharField(_("title"), max_length=300, blank=True)
    url = models.CharField(_("address"), max_length=2000, blank=True)
    referrer = models.CharField(_("referrer"), max_length=2000, blank=True)
    parameters = models.JSONField(_("campaign parameters"), default=dict, blank=True)
    is_self_reported = models.BooleanField(_("self-reported"), default=False)

    objects: ClassVar[models.Manager[Touchpoint]] = TouchpointQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="touchpoint_from_source_once")
        ]
        indexes = [
            models.Index(fields=["person", "-occurred_at", "-id"], name="touchpoint_timeline"),
            # For a campaign that was made after links had named it; few visits are in these.
            models.Index(
                Lower(KeyTextTransform("utm_campaign", "parameters")),
                name="touch_without_campaign",
                condition=models.Q(campaign=None, kind="visit", parameters__has_key="utm_campaign"),
            ),
            models.Index(
                Lower(KeyTextTransform("utm_id", "parameters")),
                name="touch_without_campaign_id",
                condition=models.Q(campaign=None, kind="visit", parameters__has_key="utm_id"),
            ),
        ]

    def __str__(self) -> str:
        return self.title or self.kind
