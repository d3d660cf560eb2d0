"""The tables of the tracking intake: who may send, what waits, what could not be applied, what was counted.

``event_inbox`` holds what was accepted and not yet applied; its rows are deleted when they are applied, which
keeps it small and ``SKIP LOCKED`` fast. Counters are narrow rows that processes add to once a second.
"""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from leads.models.source import Source
from smarketing.core.models import Stamped
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User


class KeyKind(models.TextChoices):
    """Where a write key lives."""

    BROWSER = "browser", _("Browser")
    SERVER = "server", _("Server")


class WriteKeyQuerySet(models.QuerySet["WriteKey"]):
    """Chainable verbs over write keys."""

    def visible_to(self, user: User) -> WriteKeyQuerySet:
        """Only who manages keys sees them."""
        return self.all() if user.may(Capability.MANAGE_KEYS) else self.none()

    def live(self) -> WriteKeyQuerySet:
        """Those that are not revoked."""
        return self.filter(revoked_at=None)


class WriteKey(Stamped):
    """What a sender names itself by.

    A browser key stands in public pages, so ``public_key`` is kept and can be shown again; of a server key,
    which is a secret, only ``prefix`` and SHA-256 are. ``origins`` (scheme, host and port) says from which
    pages a browser key takes calls; empty is any. ``per_minute`` counts events. With ``consent_category``
    only events whose visitor has granted that category are kept.
    """

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="write_keys")
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=8, choices=KeyKind.choices, default=KeyKind.BROWSER)
    public_key = models.CharField(max_length=60, blank=True, editable=False)
    prefix = models.CharField(max_length=12, editable=False)
    digest = models.BinaryField(max_length=32, unique=True, editable=False)
    origins = ArrayField(models.CharField(max_length=255), default=list, blank=True)
    per_minute = models.PositiveIntegerField(_("events a minute"), default=60_000)
    consent_category = models.CharField(_("consent"), max_length=60, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[models.Manager[WriteKey]] = WriteKeyQuerySet.as_manager()

    class Meta:
        ordering = ["source", "pk"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"


class IdentitySecret(Stamped):
    """With what the server of a source signs whom it has signed in; the secrets are encrypted.

    While ``is_required``, calls from pages that name somebody without a proof count as the visitor's only.
    The former secret is good for a day after a turn.
    """

    source = models.OneToOneField(
        Source, on_delete=models.CASCADE, related_name="identity_secret", primary_key=True
    )
    secret = models.TextField(editable=False)
    former_secret = models.TextField(blank=True, editable=False)
    former_until = models.DateTimeField(null=True, blank=True, editable=False)
    is_required = models.BooleanField(_("proof required"), default=False)

    def __str__(self) -> str:
        return self.source.name


class WriteKeyUse(models.Model):
    """How much a key was used: this minute, over all processes, and when last."""

    key = models.OneToOneField(WriteKey, on_delete=models.CASCADE, related_name="use", primary_key=True)
    last_seen_at = models.DateTimeField()
    minute_at = models.DateTimeField()
    events = models.PositiveIntegerField(default=0)  # since minute_at

    def __str__(self) -> str:
        return f"{self.key_id}: {self.events}"


class EventInbox(models.Model):
    """One accepted message that is not applied yet; ``body`` is ``Message.to_json``.

    ``not_before`` and ``attempts`` are the lease: a row is taken by counting an attempt and moving the time,
    so that a process that dies with it has used up one.
    """

    message_id = models.UUIDField(unique=True)
    source = models.ForeignKey(
        Source, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    kind = models.CharField(max_length=12)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    body = models.JSONField()
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField()
    last_error = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["not_before", "id"], name="event_inbox_todo")]

    def __str__(self) -> str:
        return str(self.message_id)


class DeadLetterQuerySet(models.QuerySet["DeadLetter"]):
    """Chainable verbs over dead letters."""

    def visible_to(self, user: User) -> DeadLetterQuerySet:
        """Only who manages keys sees them: they hold what strangers sent."""
        return self.all() if user.may(Capability.MANAGE_KEYS) else self.none()

    def waiting(self) -> DeadLetterQuerySet:
        """Those about which nobody has decided."""
        return self.filter(discarded_at=None)


class DeadLetter(models.Model):
    """A message that could not be applied in five attempts, whole, with what went wrong.

    It is put back into the inbox by a replay and kept, marked, when it is discarded.
    """

    origin = models.CharField(max_length=20)  # of which inbox: "event"
    message_id = models.UUIDField(unique=True)
    source_id = models.BigIntegerField()
    body = models.JSONField()
    attempts = models.PositiveSmallIntegerField()
    error = models.TextField()
    received_at = models.DateTimeField()
    created_at = models.DateTimeField()
    discarded_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[models.Manager[DeadLetter]] = DeadLetterQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["-created_at", "-id"], name="dead_letter_newest")]

    def __str__(self) -> str:
        return str(self.message_id)


class IntakeCount(models.Model):
    """How many events of a source had this outcome on a day (UTC): "stored", "duplicate" or why not.

    ``source`` is null where the sender named none that we know.
    """

    day = models.DateField()
    source = models.ForeignKey(Source, null=True, on_delete=models.CASCADE, related_name="+", db_index=False)
    outcome = models.CharField(max_length=40)
    events = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["day", "source", "outcome"], name="intake_count_once", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.outcome}: {self.events}"


class InboxMinute(models.Model):
    """How many messages were applied in a minute; tells whether failures are many (I-7)."""

    minute_at = models.DateTimeField(primary_key=True)
    applied = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.minute_at}: {self.applied}"


class InboxStop(models.Model):
    """The consumer stopped because too many messages failed; open until a person lets it go on (I-7)."""

    stopped_at = models.DateTimeField()
    resumed_at = models.DateTimeField(null=True, blank=True)
    failing = models.PositiveIntegerField()  # messages that would have become dead letters
    applied = models.PositiveIntegerField()  # in the same five minutes

    class Meta:
        constraints = [
            models.UniqueConstraint(
                models.Value(1), condition=models.Q(resumed_at=None), name="inbox_stopped_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.stopped_at}"


class DaySalt(models.Model):
    """The random secret with which visitors without cookies are told apart on one day, then deleted."""

    day = models.DateField(primary_key=True)
    salt = models.BinaryField(max_length=32)

    def __str__(self) -> str:
        return str(self.day)
