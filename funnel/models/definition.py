"""The versioned, signed rule of what a qualified lead is."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from smarketing.core.models import Stamped, Versioned
from smarketing.users.models import SideChoices, User


class DefinitionState(models.TextChoices):
    """How far a version came."""

    DRAFT = "draft", _("Draft")
    PROPOSED = "proposed", _("Proposed")
    SIGNED = "signed", _("Signed, not in force yet")
    IN_FORCE = "in_force", _("In force")
    RETIRED = "retired", _("Retired")


class DefinitionVersionQuerySet(models.QuerySet["DefinitionVersion"]):
    """Chainable verbs over versions."""

    def in_force(self) -> DefinitionVersionQuerySet:
        """The version in force; at most one row."""
        return self.filter(state=DefinitionState.IN_FORCE)


class DefinitionVersion(Stamped, Versioned):
    """One version. ``body`` is the canonical document of ``funnel.domain.definitions``.

    A version leaves draft only through ``funnel.services.definitions``; once both have signed a trigger
    keeps its body, and the digest proves it. One whose body has a day (``effective_on``) waits signed for
    that day; of all others both signatures put it in force at once.
    """

    number = models.PositiveIntegerField(unique=True)
    name = models.CharField(_("name"), max_length=120)
    state = models.CharField(max_length=10, choices=DefinitionState.choices, default=DefinitionState.DRAFT)
    body = models.JSONField()
    digest = models.CharField(max_length=64)
    # Landmark of the forward decay: interest is measured from here (architecture 2.2).
    landmark = models.DateTimeField()
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    in_force_from = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)
    # Of the version in force: the one that is signed and waits, while it does. It stands here because
    # whoever computes scores holds this row, and so knows both versions or neither (``services.frames``).
    followed_by = models.ForeignKey(
        "self", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )

    objects: ClassVar[models.Manager[DefinitionVersion]] = DefinitionVersionQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["state"], condition=models.Q(state="in_force"), name="one_definition_in_force"
            ),
            models.UniqueConstraint(
                fields=["state"], condition=models.Q(state="signed"), name="one_definition_waits"
            ),
        ]

    def __str__(self) -> str:
        return f"v{self.number} {self.name}"


class DefinitionSignature(models.Model):
    """One side's signature over one digest."""

    definition = models.ForeignKey(DefinitionVersion, on_delete=models.CASCADE, related_name="signatures")
    side = models.CharField(max_length=12, choices=SideChoices.choices)
    signer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64)
    signed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["definition", "side"], name="definition_signed_once_per_side")
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.digest[:8]}"


class DefinitionComment(models.Model):
    """What somebody said about a version, or about one of its parts ("fit"). Never changed."""

    definition = models.ForeignKey(
        DefinitionVersion, on_delete=models.CASCADE, related_name="comments", db_index=False
    )
    part = models.CharField(max_length=20, blank=True)
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    text = models.TextField(_("comment"))
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["definition", "id"]
        indexes = [models.Index(fields=["definition", "id"], name="comments_of_definition")]

    def __str__(self) -> str:
        return f"comment {self.pk}"
