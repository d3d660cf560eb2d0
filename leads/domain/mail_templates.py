"""Templates of mails: text with ``{{ field }}`` from a list of fields, filled once.

A value is text and nothing else: it is never read as a template again, and mails are sent as plain
text, so nothing in it can become markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

FIELDS = ("first_name", "last_name", "name", "company", "title", "sender_name", "sender_email")
LONGEST_SUBJECT, LONGEST_BODY = 200, 20_000
_HOLE = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")


def unknown_fields(text: str) -> list[str]:
    """What ``text`` asks for that no mail can say, in order, each once."""
    return [name for name in dict.fromkeys(_HOLE.findall(text)) if name not in FIELDS]


def missing_values(texts: Iterable[str], values: Mapping[str, str]) -> list[str]:
    """Which known fields the texts ask for that are blank for this person."""
    asked = dict.fromkeys(name for text in texts for name in _HOLE.findall(text) if name in FIELDS)
    return [name for name in asked if not values.get(name)]


def fill(text: str, values: Mapping[str, str]) -> str:
    """``text`` with its fields filled; an unknown one stays as it is written."""
    return _HOLE.sub(
        lambda hole: values.get(hole.group(1), "") if hole.group(1) in FIELDS else hole.group(0), text
    )


def one_line(text: str) -> str:
    """A subject: whatever breaks lines in a header becomes a space."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:LONGEST_SUBJECT]
