"""Everything that leaves after a commit: in-app, e-mail, webhooks."""

from __future__ import annotations

from smarketing.core.wiring import WiredAppConfig


class NotificationsConfig(WiredAppConfig):
    """Wires the app at start."""

    name = "smarketing.notifications"
    label = "notifications"
