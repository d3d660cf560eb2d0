"""Mails that colleagues write from a person's page, their templates, and where replies come in."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from leads.models.activity import Activity
from leads.models.lead import Lead
from leads.models.person import Person
from smarketing.core.models import Stamped, Versioned
from smarketing.users.models import User


class MailTemplate(Stamped, Versioned):
    """A text that several mails begin with; ``{{ first_name }}`` and the like are filled in."""

    name = models.CharField(_("name"), max_length=120, unique=True)
    subject = models.CharField(_("subject"), max_length=200)
    body = models.TextField(_("text"))
    is_active = models.BooleanField(_("in use"), default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class MailState(models.TextChoices):
    """How far a mail has come."""

    WAITING = "waiting", _("About to be sent")
    SENT = "sent", _("Sent")
    CANCELLED = "cancelled", _("Taken back")
    REFUSED = "refused", _("Not sent")


class Mail(Stamped):
    """One mail to one person. Its ids tell to which mail a reply belongs.

    ``token`` stands in the address that replies go to; ``activity`` is the line on the timeline, there
    as soon as the mail has gone out.
    """

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="mails")
    lead = models.ForeignKey(Lead, null=True, on_delete=models.SET_NULL, related_name="+")
    sender = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    activity = models.OneToOneField(Activity, null=True, on_delete=models.SET_NULL, related_name="mail")
    address = models.CharField(_("to"), max_length=320)
    subject = models.CharField(_("subject"), max_length=200)
    body = models.TextField(_("text"))
    message_id = models.CharField(max_length=255, unique=True)
    token = models.CharField(max_length=64, unique=True)
    in_reply_to = models.CharField(max_length=255, blank=True)
    references = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=MailState.choices, default=MailState.WAITING)
    refusal = models.CharField(max_length=200, blank=True)
    send_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager[Mail]] = models.Manager()

    class Meta:
        indexes = [
            # Read by the loop that sends.
            models.Index(fields=["send_at", "id"], name="mails_to_send", condition=models.Q(state="waiting"))
        ]

    def __str__(self) -> str:
        return self.subject


class MailInbox(models.Model):
    """Where replies come in: the address people answer to, and the secret at which a service posts them.

    Only the SHA-256 of the secret is kept. At most one is in use.
    """

    address = models.EmailField(_("address for replies"), max_length=254)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("made"))
    revoked_at = models.DateTimeField(null=True)
    last_received_at = models.DateTimeField(_("last mail"), null=True)

    class Meta:
        verbose_name_plural = "mail inboxes"
        constraints = [
            models.UniqueConstraint(
                fields=["revoked_at"],
                condition=models.Q(revoked_at=None),
                nulls_distinct=False,
                name="one_mail_inbox",
            )
        ]

    def __str__(self) -> str:
        return self.address
