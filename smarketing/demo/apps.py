"""The demo company: a coherent year, told by calling the real services with simulated time."""

from __future__ import annotations

from smarketing.core.wiring import WiredAppConfig


class DemoConfig(WiredAppConfig):
    """Stands in the composition root, above all other apps."""

    name = "smarketing.demo"
    label = "demo"
