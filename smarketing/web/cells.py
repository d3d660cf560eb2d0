"""Columns that downstream apps add to a list of another app.

The leads list belongs to ``funnel``, but its SLA column comes from ``sla``. That app registers a
provider for the list ("leads"); one call fills the cells of all rows of a page, so the number of
queries does not grow with the rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django.utils.functional import Promise
from django.utils.safestring import SafeString

from smarketing.users.models import User

Text = str | Promise


class Provide(Protocol):
    """The context of each row's cell by the row's key; a row that is left out has an empty cell."""

    def __call__(
        self, keys: Sequence[int], *, viewer: User, now: datetime
    ) -> Mapping[int, Mapping[str, Any]]: ...


class Write(Protocol):
    """The HTML of one cell."""

    def __call__(self, shown: Mapping[str, Any], *, now: datetime) -> SafeString: ...


@dataclass(frozen=True, slots=True)
class Added:
    """A column of another app.

    A cell is written by ``template``, which gets the row's context as ``cell``, or by ``write``, for a
    list that is asked often.
    """

    name: str
    label: Text
    provide: Provide
    template: str = ""
    write: Write | None = None
    order: int = 100


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its column, and what its template shows (``None``: nothing)."""

    column: Added
    context: Mapping[str, Any] | None


_lists: dict[str, dict[str, Added]] = defaultdict(dict)


def register(list_name: str, column: Added) -> None:
    """Add ``column`` to a list. Called from ``wiring.connect`` only; the same name twice replaces."""
    _lists[list_name][column.name] = column


def columns(list_name: str) -> list[Added]:
    """The columns that other apps add to a list, in order."""
    return sorted(_lists[list_name].values(), key=lambda c: (c.order, c.name))


def fill(list_name: str, keys: Sequence[int], *, viewer: User, now: datetime) -> dict[int, list[Cell]]:
    """The added cells of each row, in the order of :func:`columns`; one call per provider."""
    known = columns(list_name)
    found = [c.provide(keys, viewer=viewer, now=now) if keys else {} for c in known]
    return {
        key: [Cell(column, contexts.get(key)) for column, contexts in zip(known, found, strict=True)]
        for key in keys
    }
