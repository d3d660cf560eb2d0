"""Leads: episodes of interest of a person. Stage, owner, score and clocks belong to later apps."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from leads.models.campaign import Campaign
from leads.models.company import Company
from leads.models.imports import ImportRun
from leads.models.person import Person
from leads.models.source import Channel, FromSource
from smarketing.core.models import Stamped, Versioned
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User


class LeadQuerySet(models.QuerySet["Lead"]):
    """Chainable verbs over leads."""

    def visible_to(self, user: User) -> LeadQuerySet:
        """Both teams read the same records (R43); whoever may not view gets none."""
        return self.all() if user.may(Capability.VIEW) else self.none()

    def open(self) -> LeadQuerySet:
        """The present lap of each person."""
        return self.filter(closed_at=None)


class Lead(Stamped, Versioned, FromSource):
    """One lap: how it was captured. A person who comes back after the end is a new lead."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="leads", db_index=False)
    lap = models.PositiveSmallIntegerField(_("lap"), default=1)
    company = models.ForeignKey(
        Company, null=True, blank=True, on_delete=models.SET_NULL, related_name="leads"
    )
    captured_at = models.DateTimeField(_("captured"))
    closed_at = models.DateTimeField(_("lap ended"), null=True, blank=True)
    # As the source said it: "" was left blank, "unknown" was said to be unknown.
    origin = models.CharField(_("origin"), max_length=120, blank=True)
    channel = models.ForeignKey(
        Channel, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    campaign = models.ForeignKey(
        Campaign, null=True, blank=True, on_delete=models.SET_NULL, related_name="leads"
    )
    landing_page = models.CharField(_("landing page"), max_length=2000, blank=True)
    description = models.TextField(_("what they asked for"), blank=True)
    attributes = models.JSONField(default=dict, blank=True)
    import_run = models.ForeignKey(
        ImportRun, null=True, blank=True, on_delete=models.SET_NULL, related_name="leads", db_index=False
    )

    objects: ClassVar[models.Manager[Lead]] = LeadQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "lap"], name="lead_lap_once"),
            models.UniqueConstraint(
                fields=["person"], condition=models.Q(closed_at=None), name="one_open_lead_per_person"
            ),
            models.UniqueConstraint(fields=["source", "external_id"], name="lead_from_source_once"),
            models.CheckConstraint(
                condition=models.Q(closed_at=None) | models.Q(closed_at__gte=models.F("captured_at")),
                name="lead_ends_after_capture",
            ),
        ]
        indexes = [
            models.Index(
                fields=["import_run", "id"],
                name="lead_of_import",
                condition=models.Q(import_run__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"lead {self.pk}"
