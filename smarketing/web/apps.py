"""Rendering of pages and fragments, and the shared parts of the REST interface."""

from __future__ import annotations

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Wires the app at start."""

    name = "smarketing.web"
    label = "web"
    default_auto_field = "django.db.models.BigAutoField"
