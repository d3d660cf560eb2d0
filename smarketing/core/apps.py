"""The kernel: clock, facts, errors, locks, periods, loops."""

from __future__ import annotations

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Wires the app at start."""

    name = "smarketing.core"
    label = "core"
    default_auto_field = "django.db.models.BigAutoField"
