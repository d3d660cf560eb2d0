"""Everything that leaves after a commit: in-app, e-mail, webhooks."""

from __future__ import annotations

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Wires the app at start."""

    name = "smarketing.notifications"
    label = "notifications"
    default_auto_field = "django.db.models.BigAutoField"
