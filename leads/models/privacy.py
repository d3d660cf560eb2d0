"""Erasures of persons, and how long each class of data is kept."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from leads.models.person import Person
from smarketing.core.models import Stamped, Versioned
from smarketing.users.models import User


class Erasure(models.Model):
    """That a person was erased: when, by whom, how much. It names nobody.

    What stands under the person's own number is erased at once. ``needles`` (their addresses, numbers
    and name, encrypted) are kept until the sweep has looked for them in every other place; then they go.
    """

    person = models.OneToOneField(Person, on_delete=models.CASCADE, related_name="erasure")
    asked_at = models.DateTimeField(_("asked"))
    actor = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.CharField(_("why"), max_length=200)
    counts = models.JSONField(_("rows changed"), default=dict)
    needles = models.TextField(blank=True)
    swept_at = models.DateTimeField(_("swept"), null=True)

    class Meta:
        indexes = [
            # Read by the loop that sweeps.
            models.Index(fields=["asked_at"], name="erasure_todo", condition=models.Q(swept_at=None)),
        ]

    def __str__(self) -> str:
        return f"erasure {self.pk}"


class RetentionRule(Stamped, Versioned):
    """How many days one class of data is kept; empty: for ever."""

    data_class = models.CharField(max_length=40, unique=True)
    days = models.PositiveIntegerField(_("days"), null=True, blank=True)
    last_run_at = models.DateTimeField(null=True)
    last_removed = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return self.data_class
