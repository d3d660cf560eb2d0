"""What a user is told inside the product."""

from __future__ import annotations

from django.db import models

from smarketing.notifications.models.outbox import Outbox
from smarketing.users.models import User


class Notification(models.Model):
    """One line for one user; a row, hence told exactly once."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notifications")
    outbox = models.ForeignKey(Outbox, null=True, on_delete=models.SET_NULL, related_name="+")
    topic = models.CharField(max_length=100)
    text = models.CharField(max_length=500)
    link = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [models.UniqueConstraint(fields=["outbox", "user"], name="notification_once")]
        indexes = [
            models.Index(fields=["user", "-id"], name="notification_of_user"),
            models.Index(fields=["user"], condition=models.Q(read_at=None), name="notification_unread"),
        ]

    def __str__(self) -> str:
        return self.text
