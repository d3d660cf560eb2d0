"""The one organisation of this installation."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from smarketing.core.models import Stamped, Versioned


class Organisation(Stamped, Versioned):
    """Name, zone, currency and country that everything falls back to. Always row 1."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    name = models.CharField(_("name"), max_length=200, default="Our company")
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    currency = models.CharField(_("currency"), max_length=3, default="USD")
    # Reps' queues: at the same deadline the lead of the highest expected value first, not the likeliest.
    queue_by_value = models.BooleanField(_("queues by expected value"), default=False)
    country = models.CharField(_("country"), max_length=2, default="US")

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_organisation")]

    def __str__(self) -> str:
        return self.name
