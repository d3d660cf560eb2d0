"""What the frame itself adds to the menu and the palette."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from smarketing.notifications.selectors import notifications
from smarketing.web import navigation
from smarketing.web.navigation import NavItem


def connect() -> None:
    """The bell counts unread notifications; the settings stand last in the menu."""
    navigation.register_bell("web:notifications", notifications.unread_count)
    navigation.register(NavItem(_("Settings"), "settings", "web:settings", order=200, key="s"))
