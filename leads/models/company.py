"""Companies, which group persons."""

from __future__ import annotations

from typing import ClassVar

import pghistory
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from leads.models.source import Source
from smarketing.core.models import Stamped, Versioned
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User


class CompanyQuerySet(models.QuerySet["Company"]):
    """Chainable verbs over companies."""

    def visible_to(self, user: User) -> CompanyQuerySet:
        """Both teams read the same records (R43); whoever may not view gets none."""
        return self.filter(merged_into=None) if user.may(Capability.VIEW) else self.none()


@pghistory.track(
    pghistory.UpdateEvent("before_update", row=pghistory.Old),
    pghistory.DeleteEvent("before_delete", row=pghistory.Old),
    model_name="CompanyHistory",
    obj_field=pghistory.ObjForeignKey(related_name="history", related_query_name="history"),
    exclude=["version"],
)
class Company(Stamped, Versioned):
    """An organisation. Its previous values are kept by trigger; ``updated_at`` dates each."""

    name = models.CharField(_("name"), max_length=255)
    # How the name is matched: see leads.domain.identities.company_key.
    name_key = models.CharField(max_length=255, editable=False)
    domain = models.CharField(_("domain"), max_length=253, blank=True)
    industry = models.CharField(_("industry"), max_length=120, blank=True)
    employees = models.PositiveIntegerField(_("employees"), null=True, blank=True)
    annual_revenue = models.DecimalField(
        _("annual revenue"), max_digits=18, decimal_places=2, null=True, blank=True
    )
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    country = models.CharField(_("country"), max_length=80, blank=True)
    city = models.CharField(_("city"), max_length=120, blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="subsidiaries"
    )
    attributes = models.JSONField(default=dict, blank=True)
    merged_into = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    objects: ClassVar[models.Manager[Company]] = CompanyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "companies"
        indexes = [
            models.Index(fields=["name_key", "id"], name="company_by_key"),
            models.Index(fields=["domain"], name="company_by_domain", condition=~models.Q(domain="")),
            models.Index(fields=["name", "id"], name="company_list_by_name"),
            # Read by the list of companies in other orders; blanks stand last in either direction.
            models.Index(fields=["created_at", "id"], name="company_list_by_age"),
            models.Index(fields=["employees", "id"], name="company_list_smallest"),
            models.Index(
                models.F("employees").desc(nulls_last=True),
                models.F("id").desc(),
                name="company_list_largest",
            ),
            GinIndex(OpClass(Upper("name"), name="gin_trgm_ops"), name="company_search"),
        ]

    def __str__(self) -> str:
        return self.name


class CompanyRef(models.Model):
    """The id of a company in a source system."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="refs")
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+", db_index=False)
    external_id = models.CharField(max_length=255)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "external_id"], name="company_ref_once")]

    def __str__(self) -> str:
        return self.external_id
