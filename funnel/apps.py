"""How ready, which stage, whose turn."""

from __future__ import annotations

from django.apps import AppConfig


class FunnelConfig(AppConfig):
    """Wires the app at start."""

    name = "funnel"
    label = "funnel"
    default_auto_field = "django.db.models.BigAutoField"
