"""How a user wants to be told: by kind of notice, at which hours; and what waits until then."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from smarketing.core.models import Versioned
from smarketing.notifications.models.outbox import Outbox
from smarketing.users.models import User


class MailRhythm(models.TextChoices):
    """When mails are sent."""

    NEVER = "never", _("No mail")
    AT_ONCE = "at_once", _("At once")
    DAILY = "daily", _("In the daily digest")
    WEEKLY = "weekly", _("In the weekly digest")


class NoticeHours(Versioned):
    """A user's quiet hours and the hour of their digests, on their own wall clock."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="notice_hours")
    quiet_from = models.TimeField(null=True)
    quiet_until = models.TimeField(null=True)
    digest_hour = models.PositiveSmallIntegerField(default=8)
    digest_weekday = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(quiet_from=None, quiet_until=None)
                | models.Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="notice_quiet_hours_whole",
            ),
            models.CheckConstraint(condition=models.Q(digest_hour__lt=24), name="notice_digest_hour"),
            models.CheckConstraint(condition=models.Q(digest_weekday__lt=7), name="notice_digest_weekday"),
        ]

    def __str__(self) -> str:
        return f"hours of user {self.user_id}"


class NoticeChoice(models.Model):
    """What a user chose for one kind. An empty ``mail`` leaves it to the notice whether it is mailed."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notice_choices", db_index=False)
    kind = models.CharField(max_length=40)
    in_app = models.BooleanField(default=True)
    mail = models.CharField(max_length=8, choices=MailRhythm.choices, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "kind"], name="notice_choice_once"),
            models.CheckConstraint(
                condition=models.Q(mail__in=["", *MailRhythm.values]), name="notice_choice_mail_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of user {self.user_id}"


class WaitingMail(models.Model):
    """One notice for one user that waits for the end of quiet hours or for a digest.

    Sending does not delete it: ``settled_at`` says when it was put into a mail, ``carrier`` into which, so
    that nothing is mailed twice and a look at the table shows where a notice went. Without a carrier it
    was dropped, because its user has left or wants no mail of the kind any more.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="waiting_mails", db_index=False)
    outbox = models.ForeignKey(Outbox, on_delete=models.CASCADE, related_name="waiting_mails")
    rhythm = models.CharField(max_length=8, choices=MailRhythm.choices)
    due_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    carrier = models.ForeignKey(Outbox, null=True, on_delete=models.SET_NULL, related_name="carries")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "outbox"], name="waiting_mail_once")]
        indexes = [
            # Read by the loop that makes digests.
            models.Index(
                fields=["due_at", "user"],
                condition=models.Q(settled_at=None),
                name="waiting_mail_due",
            ),
            # Read by a change of somebody's choices.
            models.Index(
                fields=["user", "outbox"],
                condition=models.Q(settled_at=None),
                name="waiting_mail_of_user",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.outbox_id} for user {self.user_id}"
