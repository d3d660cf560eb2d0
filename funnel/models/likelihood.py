"""Predictive likelihood: trained models, what they may learn from, and each lead's answer."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from leads.models import Lead
from smarketing.users.models import User


class ModelState(models.TextChoices):
    """What became of a trained model."""

    CHALLENGER = "challenger", _("Challenger")
    CHAMPION = "champion", _("In use")
    RETIRED = "retired", _("Retired")


class LikelihoodModel(models.Model):
    """One trained model. ``body`` is the model, ``card`` what it was judged by; neither changes again."""

    number = models.PositiveIntegerField(_("number"), unique=True)
    state = models.CharField(max_length=10, choices=ModelState.choices)
    body = models.JSONField()
    card = models.JSONField()
    trained_at = models.DateTimeField()
    trained_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    promoted_at = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)
    # How far the model in use has come through the open leads; null when each has its answer.
    passed_lead_id = models.BigIntegerField(null=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["state"], condition=models.Q(state="champion"), name="one_champion"
            )
        ]

    def __str__(self) -> str:
        return f"model {self.number}"


class RunState(models.TextChoices):
    """How far a training came."""

    WAITING = "waiting", _("Waiting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    REFUSED = "refused", _("Too little to learn from")
    FAILED = "failed", _("Failed")


class TrainingRun(models.Model):
    """One training asked for, by hand or by the calendar; a process of its own carries it out."""

    state = models.CharField(max_length=8, choices=RunState.choices, default=RunState.WAITING)
    requested_at = models.DateTimeField()
    requested_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    message = models.CharField(max_length=500, blank=True)
    model = models.ForeignKey(LikelihoodModel, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["state"],
                condition=models.Q(state__in=["waiting"]),
                name="one_training_waits",
            )
        ]

    def __str__(self) -> str:
        return f"training {self.pk}"


class TraitRuling(models.Model):
    """What people ruled of a column: known at capture, or written after contact."""

    key = models.CharField(_("column"), max_length=120, unique=True)
    is_known_at_capture = models.BooleanField(_("known at capture"))
    ruled_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    ruled_at = models.DateTimeField()

    class Meta:
        ordering = ["key"]

    def __str__(self) -> str:
        return self.key


class Likelihood(models.Model):
    """How likely a lead becomes a customer by the model in use, with its top reasons for and against.

    ``value`` is a probability. ``reasons`` are [trait, what it is, log-odds] triples, weightiest first.
    """

    lead = models.OneToOneField(Lead, primary_key=True, on_delete=models.CASCADE, related_name="likelihood")
    model = models.ForeignKey(LikelihoodModel, on_delete=models.CASCADE, related_name="+", db_index=False)
    value = models.FloatField()
    reasons = models.JSONField(default=list)
    computed_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "likelihoods"
        constraints = [
            models.CheckConstraint(condition=models.Q(value__range=(0, 1)), name="likelihood_in_range")
        ]
        indexes = [models.Index(fields=["-value", "-lead"], name="likeliest_leads")]

    def __str__(self) -> str:
        return f"{self.value:.2f}"
