"""Where records and people come from: source systems and marketing channels."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from smarketing.core.models import Stamped


class SourceKind(models.TextChoices):
    """How records of a source reach us."""

    IMPORT = "import", _("File import")
    WEB = "web", _("Website")
    API = "api", _("REST interface")
    MANUAL = "manual", _("Typed in")


class Source(Stamped):
    """A system that records come from; external ids are unique within one."""

    code = models.SlugField(_("code"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=12, choices=SourceKind.choices, default=SourceKind.IMPORT)
    # Somebody whom this source identifies by e-mail for the first time is a new lead.
    opens_laps = models.BooleanField(_("identification makes a lead"), default=True, db_default=True)

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class Channel(models.Model):
    """A kind of road that leads here, such as organic search or an event."""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=80)
    position = models.PositiveSmallIntegerField(default=0)
    is_paid = models.BooleanField(_("paid"), default=False)

    class Meta:
        ordering = ["position", "code"]

    def __str__(self) -> str:
        return self.name


class FromSource(models.Model):
    """A record with an id in the system it came from."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+", db_index=False)
    external_id = models.CharField(_("external id"), max_length=255, null=True, blank=True)  # noqa: DJ001

    class Meta:
        abstract = True
