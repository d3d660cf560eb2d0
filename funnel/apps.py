"""How ready, which stage, whose turn."""

from __future__ import annotations

from smarketing.core.wiring import WiredAppConfig


class FunnelConfig(WiredAppConfig):
    """Wires the app at start."""

    name = "funnel"
    label = "funnel"
