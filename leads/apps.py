"""Who came, from where, with what consent."""

from __future__ import annotations

from django.apps import AppConfig


class LeadsConfig(AppConfig):
    """Wires the app at start."""

    name = "leads"
    label = "leads"
    default_auto_field = "django.db.models.BigAutoField"
