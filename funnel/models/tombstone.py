"""Tombstones: standing refusals, what they recognise, and the ledger of what they met."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from funnel.domain import tombstones as rules
from funnel.models.opportunity import Product
from leads.models import Company, Lead
from smarketing.core.models import Stamped, Versioned
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User


class TombstoneScope(models.TextChoices):
    """Who or what is refused."""

    PERSON = "person", _("This person")
    COMPANY = "company", _("Everybody of this company")
    PRODUCT = "product", _("This person, for one product")


class TombstoneReopen(models.TextChoices):
    """What lets a refused one through all the same."""

    NEVER = "never", _("Nothing")
    HAND_RAISE = "hand_raise", _("They fill in a form themselves")
    NEW_COMPANY = "new_company", _("They work for another company")
    NEW_PRODUCT = "new_product", _("They ask for another product")


class TombstoneReason(models.TextChoices):
    """Why nobody delivers them again."""

    NO_FIT = "no_fit", _("Not our kind of customer")
    COMPETITOR = "competitor", _("Works for a competitor")
    DISQUALIFIED = "disqualified", _("Disqualified")
    ASKED = "asked", _("Asked to be left alone")
    SPAM = "spam", _("Spam or made up")
    OTHER = "other", _("Another reason")


class TombstoneQuerySet(models.QuerySet["Tombstone"]):
    """Chainable verbs over tombstones."""

    def visible_to(self, user: User) -> TombstoneQuerySet:
        """Both teams see what is refused (R23); lifting is another capability."""
        return self.all() if user.may(Capability.VIEW) else self.none()

    def in_force(self, at: datetime) -> TombstoneQuerySet:
        """Those that refuse at ``at``."""
        return self.filter(models.Q(expires_at=None) | models.Q(expires_at__gt=at), lifted_at=None)


class Tombstone(Stamped, Versioned):
    """A standing refusal: whoever its keys recognise is never delivered again while it is in force.

    ``lead`` is the one whose disqualification wrote it, ``company`` and ``product`` are what the
    reopen rules compare with. ``erased_at`` says that only keyed hashes are left.
    """

    scope = models.CharField(_("refuses"), max_length=10, choices=TombstoneScope.choices)
    reason = models.CharField(_("why"), max_length=20, choices=TombstoneReason.choices)
    note = models.CharField(_("note"), max_length=500, blank=True)
    reopen = models.CharField(
        _("lets through"), max_length=12, choices=TombstoneReopen.choices, default=TombstoneReopen.NEVER
    )
    label = models.CharField(_("about"), max_length=255, blank=True)
    lead = models.ForeignKey(
        Lead, null=True, blank=True, on_delete=models.SET_NULL, related_name="tombstones"
    )
    company = models.ForeignKey(Company, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    product = models.ForeignKey(
        Product, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    author = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    lifted_at = models.DateTimeField(_("lifted"), null=True, blank=True)
    lifted_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    lift_reason = models.CharField(_("why lifted"), max_length=500, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[models.Manager[Tombstone]] = TombstoneQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(scope="product") | models.Q(product__isnull=False),
                name="tombstone_of_product_names_it",
            ),
            models.CheckConstraint(
                condition=models.Q(lifted_at=None) | ~models.Q(lift_reason=""),
                name="tombstone_lift_has_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="tombstones_newest"),
            # Only these are asked by hash; there are few, and with none of them nothing is hashed.
            models.Index(
                fields=["id"],
                name="tombstones_of_erased",
                condition=models.Q(erased_at__isnull=False, lifted_at=None),
            ),
        ]

    def __str__(self) -> str:
        return self.label or f"tombstone {self.pk}"

    def holds(self, at: datetime) -> bool:
        """Whether it refuses at ``at``."""
        return rules.in_force(lifted_at=self.lifted_at, expires_at=self.expires_at, at=at)


class TombstoneKeyKind(models.TextChoices):
    """By what somebody is recognised."""

    PERSON = "person", _("person")
    EMAIL = "email", _("e-mail")
    EMAIL_HASH = "email_hash", _("e-mail, hashed")
    PHONE = "phone", _("phone")
    COMPANY = "company", _("company")
    DOMAIN = "domain", _("domain")


class TombstoneKey(models.Model):
    """One thing by which a tombstone recognises somebody: an address, a number, a record, a domain."""

    tombstone = models.ForeignKey(Tombstone, on_delete=models.CASCADE, related_name="keys", db_index=False)
    kind = models.CharField(max_length=10, choices=TombstoneKeyKind.choices)
    value = models.CharField(max_length=320)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tombstone", "kind", "value"], name="tombstone_key_once")
        ]
        indexes = [models.Index(fields=["value", "kind"], name="tombstones_by_key")]

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"


class Inlet(models.TextChoices):
    """By which way a refused lead came."""

    FORM = "form", _("Website")
    API = "api", _("REST interface")
    HAND = "hand", _("Typed in")
    IMPORT = "import", _("Import")
    MERGE = "merge", _("Merge")
    GATE = "gate", _("Gate")


class MeetingOutcome(models.TextChoices):
    """What came of a lead that met a tombstone."""

    BLOCKED = "blocked", _("Not delivered")
    REOPENED = "reopened", _("Let through by the rule")
    EARLIER = "earlier", _("Was delivered before")


class TombstoneHit(models.Model):
    """A lead that met a tombstone, once per inlet. Blocked ones prove the promise of "never again"."""

    tombstone = models.ForeignKey(Tombstone, on_delete=models.CASCADE, related_name="hits", db_index=False)
    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, related_name="tombstone_hits")
    inlet = models.CharField(_("came by"), max_length=8, choices=Inlet.choices)
    outcome = models.CharField(_("what came of it"), max_length=10, choices=MeetingOutcome.choices)
    at = models.DateTimeField(_("when"))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tombstone", "lead", "inlet", "outcome"], name="tombstone_hit_once"
            )
        ]
        indexes = [models.Index(fields=["-at", "-id"], name="tombstone_hits_newest")]

    def __str__(self) -> str:
        return f"{self.lead_id} {self.outcome} at {self.inlet}"
