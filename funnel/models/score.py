"""Narrow projections of interest and fit. Rebuilt from events to the same numbers."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from funnel.models.definition import DefinitionVersion
from leads.models import Company, Lead, Person


class Interest(models.Model):
    """A person's decayed masses, one slot per signal of the definition, and their order key.

    ``key`` = log2(sum of weight x mass), or null where the sum is not positive; ordering by it is
    ordering by interest at any instant. ``cools_at`` is when interest falls below the lowest band.
    """

    follows_merges = False  # computed anew from the union of events

    person = models.OneToOneField(Person, primary_key=True, on_delete=models.CASCADE, related_name="interest")
    # Not checked by the database, row by row: a switch writes it for everybody, and the audit looks.
    definition = models.ForeignKey(
        DefinitionVersion, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    masses = ArrayField(models.FloatField(), default=list)
    key = models.FloatField(null=True)
    cools_at = models.DateTimeField(null=True)
    # When interest last came back over the lowest band after it had cooled below; null: it never did.
    reheated_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["-reheated_at", "person"],
                name="interest_reheated",
                condition=models.Q(reheated_at__isnull=False),
            ),
            models.Index(models.F("key").desc(nulls_last=True), "person", name="interest_hottest"),
            models.Index(
                fields=["cools_at"], name="interest_cooling", condition=models.Q(cools_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"interest of {self.person_id}"


class CompanyInterest(models.Model):
    """The interest of a company: the sum of its people's, which ranks by ``key`` for all time, too.

    A projection: ``CompanyMark`` names companies whose people did something, the loop computes those
    anew, and every company once a day.
    """

    follows_merges = False  # computed anew from the people of both

    company = models.OneToOneField(
        Company, primary_key=True, on_delete=models.CASCADE, related_name="company_interest"
    )
    key = models.FloatField()
    people = models.PositiveIntegerField()
    refreshed_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["-key", "company"], name="company_hottest"),
            models.Index(fields=["refreshed_at"], name="company_interest_stalest"),
        ]

    def __str__(self) -> str:
        return f"interest of company {self.company_id}"


class CompanyMark(models.Model):
    """A company whose interest differs from what is stored. Only ever added and taken away."""

    company_id = models.BigIntegerField()

    def __str__(self) -> str:
        return str(self.company_id)


class ScoreMark(models.Model):
    """A lead whose score may rest on what happened to another one. Only ever added and taken away."""

    lead_id = models.BigIntegerField()

    def __str__(self) -> str:
        return str(self.lead_id)


class SignalDay(models.Model):
    """How often a capped signal of a person counted on one UTC day."""

    follows_merges = False  # computed anew from the union of events

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+", db_index=False)
    definition = models.ForeignKey(
        DefinitionVersion, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    slot = models.PositiveSmallIntegerField()
    day = models.DateField()
    count = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "definition", "slot", "day"], name="signal_day_once")
        ]

    def __str__(self) -> str:
        return f"{self.person_id} slot {self.slot} on {self.day}"


class FitBand(models.TextChoices):
    """Bands of fit."""

    A = "A", "A"
    B = "B", "B"
    C = "C", "C"


class LeadAction(models.TextChoices):
    """What a cell of the matrix says to do."""

    HAND_OFF = "hand_off", _("Hand off")
    NURTURE = "nurture", _("Nurture")
    SELF_SERVE = "self_serve", _("Self-serve")
    DISCARD = "discard", _("Discard")


class LeadScore(models.Model):
    """A lead's fit, its bands at the last evaluation, and when it first qualified."""

    lead = models.OneToOneField(Lead, primary_key=True, on_delete=models.CASCADE, related_name="score")
    definition = models.ForeignKey(
        DefinitionVersion, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    fit = models.FloatField()
    fit_band = models.CharField(max_length=1, choices=FitBand.choices)
    interest_band = models.PositiveSmallIntegerField()
    action = models.CharField(max_length=10, choices=LeadAction.choices)
    qualified_at = models.DateTimeField(null=True)
    evaluated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(interest_band__range=(1, 3)), name="interest_band_known"
            ),
            models.CheckConstraint(condition=models.Q(fit__range=(0, 100)), name="fit_in_range"),
        ]
        indexes = [
            models.Index(fields=["-fit", "-lead"], name="lead_score_best_fit"),
            # The loop of nurture reads on from where it was: who fits and has little interest, since when.
            models.Index(
                fields=["evaluated_at", "lead"],
                name="scores_to_nurture",
                condition=models.Q(action="nurture"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.fit_band}{self.interest_band}"


class FitPeriod(models.Model):
    """What a lead's fit was until it changed, so that the past can be evaluated as it was."""

    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, related_name="+", db_index=False)
    definition = models.ForeignKey(
        DefinitionVersion, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    until = models.DateTimeField()
    fit = models.FloatField()
    fit_band = models.CharField(max_length=1, choices=FitBand.choices)

    class Meta:
        indexes = [models.Index(fields=["lead", "until"], name="fit_periods_of_lead")]

    def __str__(self) -> str:
        return f"{self.lead_id} {self.fit_band} until {self.until:%Y-%m-%d}"


class InterestPeriod(models.Model):
    """The band of interest that a lead had until it changed, and what it became: for its timeline.

    Written as the change was seen, so a late event that would have changed it earlier does not move it.
    """

    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, related_name="+", db_index=False)
    until = models.DateTimeField()
    band = models.PositiveSmallIntegerField()
    became = models.PositiveSmallIntegerField()

    class Meta:
        indexes = [models.Index(fields=["lead", "until"], name="interest_periods_of_lead")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(band__range=(1, 3), became__range=(1, 3)),
                name="interest_period_bands_known",
            )
        ]

    def __str__(self) -> str:
        return f"{self.lead_id} {self.band} until {self.until:%Y-%m-%d}"
