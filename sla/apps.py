"""Who promised what by when."""

from __future__ import annotations

from django.apps import AppConfig


class SlaConfig(AppConfig):
    """Wires the app at start."""

    name = "sla"
    label = "sla"
    default_auto_field = "django.db.models.BigAutoField"
