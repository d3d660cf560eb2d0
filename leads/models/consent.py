"""Consent: what people allowed us to do, word by word, and what they took back."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from leads.models.person import Person
from smarketing.core.models import Stamped
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User


class ContactChannel(models.TextChoices):
    """By what somebody is reached."""

    EMAIL = "email", _("E-mail")
    PHONE = "phone", _("Phone")
    SMS = "sms", _("Text message")
    POST = "post", _("Post")


class ConsentState(models.TextChoices):
    """What an entry of the ledger says."""

    PENDING = "pending", _("Waiting for confirmation")
    GRANTED = "granted", _("Granted")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class Purpose(Stamped):
    """Something we may do only with consent, such as sending the newsletter. Purposes are data."""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=120)
    description = models.CharField(_("what people read"), max_length=500, blank=True)
    channel = models.CharField(_("channel"), max_length=8, choices=ContactChannel.choices, blank=True)
    is_active = models.BooleanField(_("in use"), default=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "code"]

    def __str__(self) -> str:
        return self.name


class ConsentText(models.Model):
    """One wording of a consent; never changed, so that an entry proves what was read."""

    purpose = models.ForeignKey(Purpose, on_delete=models.PROTECT, related_name="texts")
    number = models.PositiveIntegerField(_("version"))
    text = models.TextField(_("text"))
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["purpose", "number"], name="consent_text_number_once")]

    def __str__(self) -> str:
        return f"{self.purpose.code} v{self.number}"


class ConsentEntryQuerySet(models.QuerySet["ConsentEntry"]):
    """Chainable verbs over the ledger."""

    def visible_to(self, user: User) -> ConsentEntryQuerySet:
        """Both teams read the same records (R43); whoever may not view gets none."""
        return self.all() if user.may(Capability.VIEW) else self.none()


class ConsentEntry(models.Model):
    """One entry of the ledger: about one purpose, or about contact by one channel altogether.

    Without ``purpose`` it is the do-not-contact flag of ``channel``: *withdrawn* forbids, *granted*
    lifts. The state in force is the entry with the latest ``occurred_at``; entries are never changed
    (a merge may give them to another person, an erasure blanks what names somebody).
    """

    person = models.ForeignKey(Person, null=True, on_delete=models.CASCADE, related_name="consents")
    # The address or number in normal form that the entry is about; "" when it is about the person.
    address = models.CharField(_("address"), max_length=320, blank=True)
    purpose = models.ForeignKey(Purpose, null=True, on_delete=models.PROTECT, related_name="+")
    channel = models.CharField(_("channel"), max_length=8, choices=ContactChannel.choices, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=ConsentState.choices)
    text = models.ForeignKey(ConsentText, null=True, on_delete=models.PROTECT, related_name="+")
    source = models.CharField(_("source"), max_length=60)
    occurred_at = models.DateTimeField(_("when"))
    recorded_at = models.DateTimeField(_("recorded"))
    network = models.CharField(_("network"), max_length=50, blank=True)
    ip_hash = models.CharField(max_length=64, blank=True)
    evidence = models.JSONField(_("evidence"), default=dict)
    actor = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    # The same thing told twice (a repeated import, a submission applied again) is one entry.
    dedupe_key = models.CharField(max_length=120, null=True, unique=True)  # noqa: DJ001

    objects: ClassVar[models.Manager[ConsentEntry]] = ConsentEntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "consent entries"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(purpose__isnull=False) | ~models.Q(channel=""),
                name="consent_about_something",
            ),
            models.CheckConstraint(
                condition=models.Q(person__isnull=False) | ~models.Q(address=""), name="consent_of_somebody"
            ),
        ]
        indexes = [
            models.Index(fields=["person", "-occurred_at", "-id"], name="consent_timeline"),
            models.Index(
                fields=["address", "-occurred_at"], name="consent_by_address", condition=~models.Q(address="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose or self.channel}: {self.state}"


class SuppressedAddress(models.Model):
    """An address of somebody who was erased, as a keyed hash: whoever comes in with it again is not
    contacted. A fresh consent that was confirmed by the address itself lifts it.
    """

    kind = models.CharField(max_length=8)
    hash = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "suppressed addresses"
        constraints = [models.UniqueConstraint(fields=["kind", "hash"], name="suppressed_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.hash[:8]}"
