"""Reads of saved views."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse

from smarketing.core.prepared import Query, given
from smarketing.users.models import User
from smarketing.web.models import SavedView

SIDEBAR_LIMIT = 8
_OWN = Query("saved_views_own", lambda: SavedView.objects.filter(user=given("user"))[:SIDEBAR_LIMIT])

_OF_PAGE = Query(
    "saved_views_of_page",
    lambda: SavedView.objects.visible_to(given("user")).filter(page=given("page")),
)


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A saved view as a link of the side bar."""

    name: str
    url: str
    is_shared: bool


def of_page(user: User, page: str) -> list[SavedView]:
    """The views of one list that ``user`` may use, own ones and shared ones, by name."""
    return _OF_PAGE.all(user=user.pk, page=page)


def shortcuts(user: User) -> list[Shortcut]:
    """The user's own views as links; a view of a page that is gone is left out."""
    found: list[Shortcut] = []
    for view in _OWN.all(user=user.pk):
        try:
            address = reverse(view.page)
        except NoReverseMatch:
            continue
        found.append(Shortcut(view.name, f"{address}?{view.query}", view.is_shared))
    return found
