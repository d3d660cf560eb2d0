"""Custom attributes: typed definitions; values stand in each record's ``attributes``."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from smarketing.core.models import Stamped


class AttributeSubject(models.TextChoices):
    """What kind of record carries the attribute."""

    PERSON = "person", _("Person")
    COMPANY = "company", _("Company")
    LEAD = "lead", _("Lead")
    OPPORTUNITY = "opportunity", _("Opportunity")


class AttributeType(models.TextChoices):
    """What the values are."""

    TEXT = "text", _("Text")
    NUMBER = "number", _("Number")
    BOOLEAN = "boolean", _("Yes or no")
    DATE = "date", _("Date")
    CHOICE = "choice", _("Choice")


class AttributeDefinition(Stamped):
    """One custom attribute of one kind of record."""

    subject = models.CharField(_("belongs to"), max_length=12, choices=AttributeSubject.choices)
    key = models.SlugField(_("key"), max_length=60)
    label = models.CharField(_("label"), max_length=120)
    type = models.CharField(_("type"), max_length=10, choices=AttributeType.choices, default="text")
    choices = models.JSONField(_("choices"), default=list, blank=True)
    # Written by sales after contact: such a column must not feed a prediction made at capture.
    is_after_contact = models.BooleanField(_("written after contact"), default=False)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["subject", "position", "key"]
        constraints = [models.UniqueConstraint(fields=["subject", "key"], name="attribute_key_once")]

    def __str__(self) -> str:
        return self.label
