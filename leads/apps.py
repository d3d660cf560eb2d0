"""Who came, from where, with what consent."""

from __future__ import annotations

from smarketing.core.wiring import WiredAppConfig


class LeadsConfig(WiredAppConfig):
    """Wires the app at start."""

    name = "leads"
    label = "leads"
