"""Whose records a board shows: everybody's, one's own or one colleague's, as the address says."""

from __future__ import annotations

from smarketing.users.models import User
from smarketing.users.selectors import users
from smarketing.web.pages import Request


def owner_asked_for(request: Request) -> User | None:
    """The user that ``owner`` in the address names, "me" for oneself; None for everybody's."""
    asked = request.GET.get("owner", "")
    if asked == "me":
        return request.user
    return users.visible_to(request.user).filter(pk=int(asked)).first() if is_key(asked) else None


def is_key(text: str) -> bool:
    """Whether ``text`` can be a primary key."""
    return text.isascii() and text.isdecimal() and len(text) < 19
