"""Whose records a board shows: everybody's, one's own or one colleague's, as the address says."""

from __future__ import annotations

from smarketing.users.models import User
from smarketing.users.selectors import users
from smarketing.web import query
from smarketing.web.pages import Request


def owner_asked_for(request: Request) -> User | None:
    """The user that ``owner`` in the address names, "me" for oneself; None for everybody's."""
    asked = request.GET.get("owner", "")
    if asked == "me":
        return request.user
    pk = query.key(asked)
    return users.visible_to(request.user).filter(pk=pk).first() if pk is not None else None
