"""Addresses that differ from the present one by a few parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.http import QueryDict


def key(text: str) -> int | None:
    """The primary key that ``text`` writes in digits, as it came in an address or form; None for no key."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def changed(params: QueryDict, **changes: str | Sequence[str] | None) -> str:
    """The query string of ``params`` with ``changes``; ``None`` removes. Starts with "?"."""
    copy = params.copy()
    for name, value in changes.items():
        if value is None or value == "":
            copy.pop(name, None)
        elif isinstance(value, str):
            copy[name] = value
        else:
            copy.setlist(name, list(value))
    text = copy.urlencode()
    return f"?{text}" if text else "?"


def without(params: QueryDict, name: str, value: str | None = None) -> str:
    """The query string without one value of ``name`` (all of them when ``value`` is ``None``)."""
    left = [] if value is None else [v for v in params.getlist(name) if v != value]
    return changed(params, **{name: left or None, "cursor": None})


def only(params: QueryDict, names: Sequence[str]) -> Mapping[str, list[str]]:
    """The parameters called ``names`` that are present and not empty."""
    return {n: values for n in names if (values := [v for v in params.getlist(n) if v])}
