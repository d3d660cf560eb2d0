"""Rendering of pages and fragments, and the shared parts of the REST interface."""

from __future__ import annotations

from smarketing.core.wiring import WiredAppConfig


class WebConfig(WiredAppConfig):
    """Wires the app at start."""

    name = "smarketing.web"
    label = "web"
