"""What has to leave the process after a commit, and each of its deliveries."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from smarketing.core.models import Stamped, Versioned
from smarketing.notifications.domain.webhooks import covers
from smarketing.users.models import User

MAIL_CHANNEL = 0


class Outbox(models.Model):
    """One fact that promised an effect, written in the transaction of the fact (I-21)."""

    dedupe_key = models.TextField(unique=True)
    topic = models.CharField(max_length=100)
    payload = models.JSONField(default=dict, db_default={})
    # Who is told in person: {"user_ids": […], "emails": […], "mail": bool, "text", "link", "subject"};
    # a digest adds "head" and "groups" for its mail.
    notice = models.JSONField(default=dict, db_default={})
    created_at = models.DateTimeField(db_default=Now())
    fanned_out_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            # Read by the fan-out.
            models.Index(fields=["id"], condition=models.Q(fanned_out_at=None), name="outbox_todo"),
            # Read by recoveries; rows come in the order of time, so a range of blocks is enough.
            BrinIndex(fields=["created_at"], autosummarize=True, name="outbox_created"),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.dedupe_key}"


class EndpointFormat(models.TextChoices):
    """What a receiver understands."""

    STANDARD = "standard", _("Standard Webhooks: signed JSON")
    SLACK = "slack", _("Slack: a line of text for a channel")


class Endpoint(Stamped, Versioned):
    """A receiver of webhooks. The secrets are encrypted; the former one signs along for a day.

    One in the format of Slack gets text and no signature: its address is the secret.
    """

    name = models.CharField(_("name"), max_length=120)
    url = models.CharField(_("address"), max_length=2048)
    topics = ArrayField(models.CharField(max_length=100), verbose_name=_("topics"))
    format = models.CharField(
        _("format"),
        max_length=8,
        choices=EndpointFormat.choices,
        default=EndpointFormat.STANDARD,
        db_default=EndpointFormat.STANDARD.value,
    )
    secret = models.TextField(editable=False)
    former_secret = models.TextField(blank=True, editable=False)
    former_until = models.DateTimeField(null=True, editable=False)
    enabled = models.BooleanField(_("enabled"), default=True)
    disabled_reason = models.CharField(max_length=200, blank=True)
    failing_since = models.DateTimeField(null=True, editable=False)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    def __str__(self) -> str:
        return self.name

    def wants(self, topic: str) -> bool:
        """Whether a pattern of ours ("handoff.*", "*") covers ``topic``."""
        return any(covers(pattern, topic) for pattern in self.topics)


class Delivery(models.Model):
    """One outbox row on its way to one receiver: at least once, never forgotten."""

    class State(models.TextChoices):
        """``PENDING`` until a 2xx or the end of the schedule."""

        PENDING = "pending", _("pending")
        DONE = "done", _("delivered")
        FAILED = "failed", _("failed")

    outbox = models.ForeignKey(Outbox, on_delete=models.CASCADE, related_name="deliveries")
    # The endpoint's id, or 0 for mail: what fairness and the cap of flights count by.
    channel = models.BigIntegerField()
    endpoint = models.ForeignKey(Endpoint, null=True, on_delete=models.CASCADE, related_name="deliveries")
    email = models.CharField(max_length=320, blank=True)
    msg_id = models.CharField(max_length=64, unique=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    last_status = models.PositiveSmallIntegerField(null=True)
    last_error = models.CharField(max_length=300, blank=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["outbox", "endpoint"],
                condition=~models.Q(endpoint=None),
                name="delivery_endpoint_once",
            ),
            models.UniqueConstraint(
                fields=["outbox", "email"], condition=~models.Q(email=""), name="delivery_email_once"
            ),
        ]
        indexes = [
            # Read by the claim, channel by channel.
            models.Index(
                fields=["channel", "not_before", "id"],
                condition=models.Q(state="pending"),
                name="delivery_todo",
            ),
            models.Index(fields=["endpoint", "-id"], name="delivery_of_endpoint"),
        ]

    def __str__(self) -> str:
        return self.msg_id
