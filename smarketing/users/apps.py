"""Who works here and what their role allows."""

from __future__ import annotations

from django.apps import AppConfig


class UsersConfig(AppConfig):
    """Wires the app at start."""

    name = "smarketing.users"
    label = "users"
    default_auto_field = "django.db.models.BigAutoField"
