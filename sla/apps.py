"""Who promised what by when."""

from __future__ import annotations

from smarketing.core.wiring import WiredAppConfig


class SlaConfig(WiredAppConfig):
    """Wires the app at start."""

    name = "sla"
    label = "sla"
