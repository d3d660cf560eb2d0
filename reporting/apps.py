"""What it meant: reads everything, changes nothing."""

from __future__ import annotations

from django.apps import AppConfig


class ReportingConfig(AppConfig):
    """Wires the app at start."""

    name = "reporting"
    label = "reporting"
    default_auto_field = "django.db.models.BigAutoField"
