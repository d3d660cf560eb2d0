"""What the frame itself adds to the menu and the palette."""

from __future__ import annotations

from smarketing.notifications.selectors import notifications
from smarketing.web import navigation


def connect() -> None:
    """The bell counts unread notifications."""
    navigation.register_bell("web:notifications", notifications.unread_count)
