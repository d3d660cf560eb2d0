"""What the installation knows of its own traffic."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from smarketing.core.models import Stamped, Versioned


class Screening(Stamped, Versioned):
    """The one row that says which visits are colleagues'."""

    networks = ArrayField(models.CharField(max_length=50), verbose_name=_("networks"), default=list)
    hosts = ArrayField(models.CharField(max_length=253), verbose_name=_("hosts"), default=list)

    class Meta:
        constraints = [models.UniqueConstraint(models.Value(1), name="screening_is_one")]

    def __str__(self) -> str:
        return "screening"
