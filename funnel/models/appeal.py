"""Marketing's appeals against returns, and how they were ruled."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from funnel.models.handoff import Handoff
from smarketing.core.models import Stamped, Versioned
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User


class Ruling(models.TextChoices):
    """What an arbiter may say of a return; the handoff gets the same state."""

    UPHELD = "upheld", _("Return upheld")
    OVERTURNED = "overturned", _("Return overturned")


class AppealQuerySet(models.QuerySet["Appeal"]):
    """Chainable verbs over appeals."""

    def visible_to(self, user: User) -> AppealQuerySet:
        """Both teams see every appeal; appealing and ruling are other capabilities."""
        return self.all() if user.may(Capability.VIEW) else self.none()

    def waiting(self) -> AppealQuerySet:
        """Appeals nobody has ruled on."""
        return self.filter(ruled_at=None)


class Appeal(Stamped, Versioned):
    """Marketing's word against one return, once; ``ruling`` is empty while it waits."""

    handoff = models.OneToOneField(Handoff, on_delete=models.CASCADE, related_name="appeal")
    evidence = models.TextField(_("evidence"))
    appellant = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    arbiter = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    ruling = models.CharField(max_length=10, choices=Ruling.choices, blank=True)
    ruling_note = models.TextField(_("why"), blank=True)
    definition_unclear = models.BooleanField(default=False)
    ruled_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    ruled_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager[Appeal]] = AppealQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ruling="", ruled_at__isnull=True, ruled_by__isnull=True)
                | (~models.Q(ruling="") & models.Q(ruled_at__isnull=False, ruled_by__isnull=False)),
                name="appeal_is_ruled_whole",
            )
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="appeals_newest"),
            models.Index(
                fields=["arbiter"], name="appeals_that_wait", condition=models.Q(ruled_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"appeal {self.pk}"
