"""The settings page: a card for each page where something is set up, from every app.

Apps register their pages in ``wiring.connect``. Everybody with ``capability`` may read a page; what
may be edited there is the page's own business.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise

from smarketing.users.domain.roles import Capability
from smarketing.users.models import User

Text = str | Promise


@dataclass(frozen=True, slots=True)
class SettingsPage:
    """One page. ``notice`` says in a few words what needs attention ("not signed yet"), or nothing."""

    label: Text
    about: Text
    icon: str
    url_name: str
    section: Text
    order: int = 100
    capability: Capability = Capability.VIEW
    notice: Callable[[], Text] | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """A page as one user sees it."""

    page: SettingsPage
    url: str
    notice: Text


_pages: dict[str, SettingsPage] = {}


def register(page: SettingsPage) -> None:
    """Add a page. Called from ``wiring.connect`` only; the same address twice replaces."""
    _pages[page.url_name] = page


def cards(user: User) -> list[Card]:
    """The pages ``user`` may open, in order; a page of an app without addresses is left out."""
    found = []
    for page in sorted(_pages.values(), key=lambda p: (p.order, str(p.label))):
        if not user.may(page.capability):
            continue
        try:
            address = reverse(page.url_name)
        except NoReverseMatch:
            continue
        found.append(Card(page, address, page.notice() if page.notice else ""))
    return found
