"""Who works here and what their role allows."""

from __future__ import annotations

from smarketing.core.wiring import WiredAppConfig


class UsersConfig(WiredAppConfig):
    """Wires the app at start."""

    name = "smarketing.users"
    label = "users"
