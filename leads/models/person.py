"""Persons: one human each, known by at least one identifier."""

from __future__ import annotations

from typing import ClassVar

import pghistory
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from leads.models.company import Company
from leads.models.source import Source
from smarketing.core.models import Stamped, Versioned
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User


class PersonQuerySet(models.QuerySet["Person"]):
    """Chainable verbs over persons."""

    def visible_to(self, user: User) -> PersonQuerySet:
        """Both teams read the same records (R43); whoever may not view gets none."""
        return self.filter(merged_into=None) if user.may(Capability.VIEW) else self.none()


@pghistory.track(
    pghistory.UpdateEvent("before_update", row=pghistory.Old),
    pghistory.DeleteEvent("before_delete", row=pghistory.Old),
    model_name="PersonHistory",
    obj_field=pghistory.ObjForeignKey(related_name="history", related_query_name="history"),
    exclude=["search_text", "version"],
)
class Person(Stamped, Versioned):
    """One human. Previous values are kept by trigger; ``updated_at`` dates each."""

    first_name = models.CharField(_("first name"), max_length=120, blank=True)
    last_name = models.CharField(_("last name"), max_length=120, blank=True)
    title = models.CharField(_("job title"), max_length=200, blank=True)
    company = models.ForeignKey(
        Company, null=True, blank=True, on_delete=models.SET_NULL, related_name="people"
    )
    language = models.CharField(_("language"), max_length=12, blank=True)
    country = models.CharField(_("country"), max_length=80, blank=True)
    city = models.CharField(_("city"), max_length=120, blank=True)
    website = models.CharField(_("website"), max_length=500, blank=True)
    attributes = models.JSONField(default=dict, blank=True)
    merged_into = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    # Lower-case name, e-mail addresses and company in one column, so that the search box is one
    # index lookup; kept true by leads.services.people.
    search_text = models.TextField(editable=False, default="")

    objects: ClassVar[models.Manager[Person]] = PersonQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "people"
        indexes = [
            GinIndex(OpClass("search_text", name="gin_trgm_ops"), name="person_search"),
            models.Index(fields=["last_name", "first_name", "id"], name="person_list_by_name"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """First and last name, or an empty string where none is known."""
        return f"{self.first_name} {self.last_name}".strip()


class PersonEmail(models.Model):
    """An e-mail address in normal form; belongs to one person."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="emails")
    email = models.CharField(_("e-mail"), max_length=320, unique=True)
    is_primary = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="person_email_lower"),
            models.UniqueConstraint(
                fields=["person"], condition=models.Q(is_primary=True), name="person_primary_email_once"
            ),
        ]

    def __str__(self) -> str:
        return self.email


class PersonPhone(models.Model):
    """A phone number: as written and, where it is a valid number, in E.164."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="phones")
    written = models.CharField(_("phone"), max_length=60)
    e164 = models.CharField(max_length=16, blank=True)
    is_mobile = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "written"], name="person_phone_once")]
        indexes = [models.Index(fields=["e164"], name="person_by_phone", condition=~models.Q(e164=""))]

    def __str__(self) -> str:
        return self.e164 or self.written


class PersonRef(models.Model):
    """The id of a person in a source system."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="refs")
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+", db_index=False)
    external_id = models.CharField(max_length=255)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "external_id"], name="person_ref_once")]

    def __str__(self) -> str:
        return self.external_id
