"""What it meant: reads everything, changes nothing but its own projections."""

from __future__ import annotations

from smarketing.core.wiring import WiredAppConfig


class ReportingConfig(WiredAppConfig):
    """Wires the app at start."""

    name = "reporting"
    label = "reporting"
