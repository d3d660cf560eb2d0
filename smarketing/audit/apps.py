"""Who changed what configuration, before and after."""

from __future__ import annotations

from smarketing.core.wiring import WiredAppConfig


class AuditConfig(WiredAppConfig):
    """Wires the app at start."""

    name = "smarketing.audit"
    label = "audit"
