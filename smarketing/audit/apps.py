"""Who changed what configuration, before and after."""

from __future__ import annotations

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Wires the app at start."""

    name = "smarketing.audit"
    label = "audit"
    default_auto_field = "django.db.models.BigAutoField"
