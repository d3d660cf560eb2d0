"""The main menu. Apps register their entries in ``wiring.connect``; a role sees what it may open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from django.urls import NoReverseMatch, get_script_prefix, get_urlconf, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from smarketing.users.domain.roles import Capability, Role

if TYPE_CHECKING:
    from smarketing.users.models import User

Text = str | Promise
Badge = Callable[["User"], int]


class BellState(Protocol):
    """What the bell shows: how many are unread, and a tag that differs when anything came or was read."""

    @property
    def count(self) -> int: ...

    @property
    def tag(self) -> str: ...


class Section(IntEnum):
    """The parts of the menu from top to bottom; the day's own work stands first, without a heading."""

    DAY = 0
    FUNNEL = 1
    PROMISE = 2
    MARKETING = 3
    WHOLE = 4

    @property
    def label(self) -> Text:
        """The heading above the section's entries; empty for the first."""
        return _HEADINGS.get(self, "")


_HEADINGS: dict[Section, Text] = {
    Section.FUNNEL: _("Funnel"),
    Section.PROMISE: _("Our promise"),
    Section.MARKETING: _("Marketing"),
    Section.WHOLE: _("Whole picture"),
}


@dataclass(frozen=True, slots=True)
class NavItem:
    """One entry: where it leads, who sees it, the key behind ``g`` and a count that needs attention.

    ``roles`` empty means every role with ``capability``. ``phone`` puts it into the bottom bar, which
    has room for four. ``order`` counts within the section. No two entries share a key.
    """

    label: Text
    icon: str
    url_name: str
    capability: Capability = Capability.VIEW
    roles: frozenset[Role] = frozenset()
    order: int = 100
    key: str = ""
    section: Section = Section.DAY
    badge: Badge | None = None
    badge_label: Text = ""
    phone: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as one user sees it on one page."""

    item: NavItem
    url: str
    is_current: bool
    count: int


_items: dict[str, NavItem] = {}
_bell: list[tuple[str, Callable[[User], BellState]]] = []
_first_pages: dict[Role, str] = {}


def register(item: NavItem) -> None:
    """Add an entry. Called from ``wiring.connect`` only; the same address twice replaces."""
    _items[item.url_name] = item


def register_first_page(role: Role, url_name: str) -> None:
    """Say which page a role sees first. Called from ``wiring.connect`` only."""
    _first_pages[role] = url_name


def first_page(user: User) -> str:
    """The address of the page that the user's role sees first; else the first entry of the menu."""
    for url_name in (_first_pages.get(Role(user.role)), *(item.url_name for item in items())):
        if url_name is None:
            continue
        try:
            return reverse(url_name)
        except NoReverseMatch:  # an app that is not composed into urls.py has no page
            continue
    return reverse("web:profile")


def register_bell(url_name: str, unread: Callable[[User], BellState]) -> None:
    """Say where notifications are read and what a user has not read yet."""
    _bell[:] = [(url_name, unread)]


def bell(user: User) -> tuple[str, int, str] | None:
    """The address of the user's notifications, the number of unread ones and the tag of that state."""
    for url_name, unread in _bell:
        try:
            address = reverse(url_name)
        except NoReverseMatch:
            return None
        state = unread(user)
        return address, state.count, state.tag
    return None


def items() -> list[NavItem]:
    """Every registered entry in order."""
    return sorted(_items.values(), key=lambda i: (i.section, i.order, str(i.label)))


def entries(user: User, path: str) -> list[Entry]:
    """The entries ``user`` may open; the longest address that begins ``path`` is the current one."""
    seen: list[tuple[NavItem, str]] = []
    for item in items():
        if (item.roles and user.role not in item.roles) or not user.may(item.capability):
            continue
        address = _address(item.url_name, get_script_prefix(), get_urlconf())
        if address is not None:
            seen.append((item, address))
    current = _current([url for _, url in seen], path)
    return [
        Entry(item, url, is_current=url == current, count=item.badge(user) if item.badge else 0)
        for item, url in seen
    ]


@lru_cache(maxsize=256)
def _address(url_name: str, _prefix: str, _urlconf: str | None) -> str | None:
    """Where an entry leads; an app that is not composed into urls.py has none."""
    try:
        return reverse(url_name)
    except NoReverseMatch:
        return None


def _current(urls: Sequence[str], path: str) -> str:
    fitting = [u for u in urls if path == u or (u != "/" and path.startswith(u.rstrip("/") + "/"))]
    return max(fitting, key=len, default="")
