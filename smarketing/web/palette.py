"""What Ctrl-K finds: actions and records, from every app that registers a provider."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from smarketing.users.models import User
from smarketing.web import navigation

Text = str | Promise
LIMIT = 8


@dataclass(frozen=True, slots=True)
class Hit:
    """One line of the palette. ``keys`` is the shortcut in words ("G L")."""

    label: Text
    url: str
    icon: str = "arrow-right"
    detail: Text = ""
    keys: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Hits of one kind below a heading."""

    label: Text
    hits: list[Hit]


Provider = Callable[[User, str], list[Hit]]
_providers: dict[str, tuple[int, Text, Provider]] = {}


def register(key: str, label: Text, provider: Provider, *, order: int = 100) -> None:
    """Add a source of hits. Called from ``wiring.connect`` only.

    ``provider(user, text)`` returns at most :data:`LIMIT` hits that ``user`` may open; ``text`` is
    trimmed, and empty when the palette has just been opened.
    """
    _providers[key] = (order, label, provider)


def search(user: User, text: str) -> list[Group]:
    """Hits for ``text``: places first, then each provider in order; empty groups are left out."""
    text = text.strip()[:100]
    groups = [Group(_("Go to"), _places(user, text))]
    for _order, label, provider in sorted(_providers.values(), key=lambda p: p[0]):
        groups.append(Group(label, provider(user, text)[:LIMIT]))
    return [g for g in groups if g.hits]


def _places(user: User, text: str) -> list[Hit]:
    wanted = text.casefold()
    return [
        Hit(
            label=entry.item.label,
            url=entry.url,
            icon=entry.item.icon,
            keys=f"G {entry.item.key.upper()}" if entry.item.key else "",
        )
        for entry in navigation.entries(user, "")
        if wanted in str(entry.item.label).casefold()
    ][: LIMIT if text else 20]
