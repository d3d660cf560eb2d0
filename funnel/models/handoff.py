"""Handoffs, and what sales found out."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from funnel.models.definition import DefinitionVersion
from leads.models import Lead
from smarketing.core.models import Stamped, Versioned
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User


class HandoffState(models.TextChoices):
    """States of a handoff (funnel.domain.handoffs has the transition table)."""

    ASSEMBLING = "assembling", _("Assembling")
    GATE_FAILED = "gate_failed", _("Failed the gate")
    DELIVERED = "delivered", _("Delivered")
    ACCEPTED = "accepted", _("Accepted")
    RETURNED = "returned", _("Returned")
    EXPIRED = "expired", _("Expired")
    UPHELD = "upheld", _("Return upheld")
    OVERTURNED = "overturned", _("Return overturned")


class ReturnReason(models.TextChoices):
    """Why sales gave a lead back."""

    NOT_READY = "not_ready", _("Not ready to buy yet")
    WRONG_CONTACT = "wrong_contact", _("Wrong contact or wrong data")
    NO_FIT = "no_fit", _("Not our kind of customer")
    NO_BUDGET = "no_budget", _("No budget")
    NO_NEED = "no_need", _("No need")
    COMPETITOR = "competitor", _("Works for a competitor")
    DUPLICATE = "duplicate", _("Already being worked")
    UNREACHABLE = "unreachable", _("Can't be reached")


class HandoffQuerySet(models.QuerySet["Handoff"]):
    """Chainable verbs over handoffs."""

    def visible_to(self, user: User) -> HandoffQuerySet:
        """Both teams see every handoff (R23); answering one is another capability."""
        return self.all() if user.may(Capability.VIEW) else self.none()

    def open(self) -> HandoffQuerySet:
        """Handoffs that wait for an answer."""
        return self.filter(state=HandoffState.DELIVERED)

    def of_owner(self, owner: User) -> HandoffQuerySet:
        """Handoffs delivered to this rep."""
        return self.filter(owner=owner)


class Handoff(Stamped, Versioned):
    """The transaction that delivers a lead to a rep; one open per lead."""

    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, related_name="handoffs", db_index=False)
    state = models.CharField(max_length=12, choices=HandoffState.choices)
    owner = models.ForeignKey(
        User, null=True, on_delete=models.PROTECT, related_name="handoffs", db_index=False
    )
    definition = models.ForeignKey(DefinitionVersion, on_delete=models.PROTECT, related_name="+")
    # Frozen at delivery: why it qualified, what the person did, what is missing.
    packet = models.JSONField(default=dict)
    missing = models.JSONField(default=list)
    override_reason = models.CharField(max_length=500, blank=True)
    delivered_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    delivered_at = models.DateTimeField(null=True)
    # While it waits for an owner: when managers are reminded of it; null once they were.
    hold_due_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    return_reason = models.CharField(max_length=20, choices=ReturnReason.choices, blank=True)
    return_note = models.TextField(blank=True)

    objects: ClassVar[models.Manager[Handoff]] = HandoffQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["lead"],
                condition=models.Q(state__in=["assembling", "delivered"]),
                name="one_open_handoff_per_lead",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["assembling", "gate_failed"])
                | models.Q(owner__isnull=False, delivered_at__isnull=False),
                name="delivered_handoff_has_owner",
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=["returned", "upheld", "overturned"])
                | ~models.Q(return_reason=""),
                name="return_has_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["lead", "-id"], name="handoffs_of_lead"),
            models.Index(fields=["owner", "state", "delivered_at", "id"], name="handoffs_of_owner"),
            models.Index(fields=["-delivered_at", "-id"], name="handoffs_newest"),
            models.Index(
                fields=["answered_at", "id"], name="returns_not_ruled", condition=models.Q(state="returned")
            ),
            models.Index(fields=["id"], name="handoffs_that_wait", condition=models.Q(state="assembling")),
        ]

    def __str__(self) -> str:
        return f"handoff {self.pk}"


class Qualification(Stamped, Versioned):
    """What sales found out: need and budget. With acceptance it makes a lead an SQL."""

    lead = models.OneToOneField(
        Lead, primary_key=True, on_delete=models.CASCADE, related_name="qualification"
    )
    need = models.TextField(_("need"), blank=True)
    budget = models.DecimalField(_("budget"), max_digits=18, decimal_places=2, null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    recorded_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    def __str__(self) -> str:
        return f"qualification of {self.lead_id}"

    @property
    def is_complete(self) -> bool:
        """Whether both need and budget are known."""
        return bool(self.need) and self.budget is not None
