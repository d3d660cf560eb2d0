"""What the frame around every page needs: menu, bell, theme."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import cached_property

from smarketing.web import navigation
from smarketing.web.navigation import Entry
from smarketing.web.selectors import saved_views
from smarketing.web.selectors.saved_views import Shortcut

THEMES = ("light", "dark")


class Shell:
    """The frame, read only when a whole page is rendered: a fragment asks for none of it."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def entries(self) -> list[Entry]:
        """The main menu of this user."""
        user = self._request.user
        if not user.is_authenticated:
            return []
        return navigation.entries(user, self._request.path)

    @property
    def phone_entries(self) -> list[Entry]:
        """The entries of the bottom bar."""
        return [e for e in self.entries if e.item.phone][:4]

    @cached_property
    def views(self) -> list[Shortcut]:
        """The user's saved views."""
        user = self._request.user
        return saved_views.shortcuts(user) if user.is_authenticated else []

    @cached_property
    def bell(self) -> tuple[str, int, str] | None:
        """Where notifications are, how many are unread, and the tag of that state."""
        user = self._request.user
        return navigation.bell(user) if user.is_authenticated else None

    @property
    def theme(self) -> str:
        """``light``, ``dark`` or empty: as the system."""
        chosen = self._request.COOKIES.get("theme", "")
        return chosen if chosen in THEMES else ""

    @property
    def shortcuts_off(self) -> bool:
        """Whether single-key shortcuts are turned off (WCAG 2.1.4)."""
        return self._request.COOKIES.get("shortcuts") == "off"


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor: ``shell`` in every template."""
    return {"shell": Shell(request), "is_demo": settings.DEMO, "now": getattr(request, "now", None)}
