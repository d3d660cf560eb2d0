"""Scores by a version that is signed and not in force yet, kept beside those that hold until it switches."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from funnel.models.definition import DefinitionVersion
from funnel.models.score import FitBand
from leads.models import Lead, Person


class Filling(models.Model):
    """How far the shadow of a version is filled, and after its switch: how far what is left over is removed.

    ``at_person`` and ``at_lead`` are the last keys that were handled, in order; ``done`` and ``total``
    count people and leads, for the page.
    """

    definition = models.OneToOneField(
        DefinitionVersion, primary_key=True, on_delete=models.CASCADE, related_name="filling"
    )
    at_person = models.BigIntegerField(default=0)
    at_lead = models.BigIntegerField(default=0)
    done = models.PositiveBigIntegerField(default=0)
    total = models.PositiveBigIntegerField(default=0)
    is_full = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.done} of {self.total} by definition {self.definition_id}"


class NextInterest(models.Model):
    """A person's masses by the version that waits; becomes their ``Interest`` at the switch."""

    follows_merges = False  # computed anew from the union of events

    person = models.OneToOneField(Person, primary_key=True, on_delete=models.CASCADE, related_name="+")
    masses = ArrayField(models.FloatField(), default=list)
    key = models.FloatField(null=True)
    reheated_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"next interest of {self.person_id}"


class NextScore(models.Model):
    """A lead's fit by the version that waits, and whether that version excludes it."""

    lead = models.OneToOneField(Lead, primary_key=True, on_delete=models.CASCADE, related_name="+")
    fit = models.FloatField()
    fit_band = models.CharField(max_length=1, choices=FitBand.choices)
    is_excluded = models.BooleanField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(fit__range=(0, 100)), name="next_fit_in_range")
        ]

    def __str__(self) -> str:
        return f"next fit of {self.lead_id}"
