"""Journeys: one prepared row per lead, so that no report scans ledgers or events."""

from __future__ import annotations

from django.db import models

from leads.models import Campaign, Channel, Company, Lead, Person, Source
from smarketing.users.models import User


class Journey(models.Model):
    """What became of one lead: the instant it first reached each stage, and its deal.

    A projection maintained by subscribers and rebuilt by ``manage.py journeys rebuild``, which must
    give the same rows. Money is not copied here: it is read from the won opportunities, per currency.
    """

    follows_merges = False  # refreshed on the fact

    lead = models.OneToOneField(Lead, primary_key=True, on_delete=models.CASCADE, related_name="journey")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+", db_index=False)
    company = models.ForeignKey(
        Company, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+", db_index=False)
    channel = models.ForeignKey(
        Channel, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    campaign = models.ForeignKey(
        Campaign, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    origin = models.CharField(max_length=120, blank=True)
    owner = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    captured_at = models.DateTimeField()
    mql_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    first_touch_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    returned_at = models.DateTimeField(null=True)
    expired_at = models.DateTimeField(null=True)
    breached_at = models.DateTimeField(null=True)
    sql_at = models.DateTimeField(null=True)
    opportunity_at = models.DateTimeField(null=True)
    won_at = models.DateTimeField(null=True)
    lost_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["captured_at", "origin"], name="journey_by_capture"),
            # A person or company that is removed asks for them: without, each would read all journeys.
            models.Index(fields=["person"], name="journey_of_person"),
            models.Index(
                fields=["company"],
                name="journey_of_company",
                condition=models.Q(company__isnull=False),
            ),
            models.Index(
                fields=["delivered_at"],
                name="journey_by_delivery",
                condition=models.Q(delivered_at__isnull=False),
            ),
            models.Index(
                fields=["campaign", "captured_at"],
                name="journey_of_campaign",
                condition=models.Q(campaign__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"journey of {self.lead_id}"
