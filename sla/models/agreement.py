"""The agreement: versions of typed clauses, in force only with one signature per side."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from sla.models.calendar import Calendar
from smarketing.core.models import Stamped, Versioned
from smarketing.users.models import SideChoices, User


class Agreement(Stamped):
    """What the two teams promised each other; one per installation to begin with."""

    name = models.CharField(_("name"), max_length=120, unique=True)

    def __str__(self) -> str:
        return self.name


class AgreementState(models.TextChoices):
    """How far a version came."""

    DRAFT = "draft", _("Draft")
    PROPOSED = "proposed", _("Proposed")
    SIGNED = "signed", _("Signed, not in force yet")
    IN_FORCE = "in_force", _("In force")
    RETIRED = "retired", _("Retired")


class AgreementVersion(Stamped, Versioned):
    """One version. ``digest`` is the SHA-256 of its canonical JSON (``sla.domain.clauses``).

    ``annex`` holds roles, links, words and a plan (``sla.domain.annex``). Signed by both it is in force
    at once, or from ``effective_on`` on: the start of that day where the organisation is.
    """

    agreement = models.ForeignKey(Agreement, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=AgreementState.choices, default=AgreementState.DRAFT)
    digest = models.CharField(max_length=64, blank=True)
    annex = models.JSONField(default=dict, blank=True)
    effective_on = models.DateField(null=True)
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    in_force_from = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager[AgreementVersion]] = models.Manager()

    class Meta:
        ordering = ["agreement", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["agreement", "number"], name="agreement_version_once"),
            models.UniqueConstraint(
                fields=["agreement"], condition=models.Q(state="in_force"), name="one_agreement_in_force"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.agreement} v{self.number}"


class Clause(models.Model):
    """One promise as typed data; its sentence is generated (``sla.domain.clauses``)."""

    version = models.ForeignKey(AgreementVersion, on_delete=models.CASCADE, related_name="clauses")
    position = models.PositiveSmallIntegerField()
    side = models.CharField(_("side"), max_length=12, choices=SideChoices.choices)
    metric = models.CharField(_("metric"), max_length=40)
    comparator = models.CharField(max_length=4)
    target = models.DecimalField(_("target"), max_digits=14, decimal_places=4)
    period = models.CharField(_("period"), max_length=12, blank=True)
    calendar = models.ForeignKey(Calendar, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    population = models.JSONField(default=dict, blank=True)
    terms = models.JSONField(default=dict, blank=True)
    grace_seconds = models.PositiveIntegerField(default=0)
    accountable = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    backup = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["version", "position"]
        constraints = [models.UniqueConstraint(fields=["version", "position"], name="clause_position_once")]

    def __str__(self) -> str:
        return f"{self.side}: {self.metric}"


class AgreementSignature(models.Model):
    """One side's signature over one digest."""

    version = models.ForeignKey(AgreementVersion, on_delete=models.CASCADE, related_name="signatures")
    side = models.CharField(max_length=12, choices=SideChoices.choices)
    signer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64)
    signed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "side"], name="agreement_signed_once_per_side")
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.digest[:8]}"


class AgreementComment(models.Model):
    """What somebody said about a version, or about one of its clauses by its position. Never changed."""

    version = models.ForeignKey(
        AgreementVersion, on_delete=models.CASCADE, related_name="comments", db_index=False
    )
    position = models.PositiveSmallIntegerField(null=True)
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    text = models.TextField(_("comment"))
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["version", "id"]
        indexes = [models.Index(fields=["version", "id"], name="comments_of_version")]

    def __str__(self) -> str:
        return f"comment {self.pk}"
