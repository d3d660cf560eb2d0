"""Reading JSON from strangers: bounded, and cleaned of what PostgreSQL can't store.

Python accepts more than a database does: null characters and half surrogate pairs in text, NaN, whole numbers
of a thousand digits, and 1e308, which is 309 characters when a ``jsonb`` column prints it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import orjson

MAX_DEPTH = 20
MAX_VALUES = 2_000  # of one event, keys not counted
_LARGEST = 10**15
_SMALLEST = 1e-15
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_LONG_NUMBER = re.compile(r"-?\d{1,20}")
# A number in compact JSON that may be beyond our limits: sixteen digits, or an exponent.
_DOUBTFUL_NUMBER = re.compile(rb"[:,\[]-?\d[\d.]*(?:e|(?<=[\d.]{15})\d)")
_DIGITS, _SIXTEEN = bytes.maketrans(b"123456789.", b"0000000000"), b"0" * 16
_finite = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


class Unreadable(ValueError):
    """These bytes are not JSON of a depth that anybody needs."""


class TooComplex(ValueError):
    """A value nests too deeply or holds too many values."""


@dataclass(frozen=True, slots=True)
class Clean:
    """A value that may be stored, the bytes of its compact JSON, and whether texts or numbers changed."""

    value: Any
    size: int
    text_changed: bool
    number_changed: bool


def read(body: bytes) -> Any:
    """The JSON value in ``body``; UTF-8, or UTF-16 and UTF-32 as their first bytes tell.

    Bytes that are no text become U+FFFD. Raises :class:`Unreadable`.
    """
    text = body.decode(json.detect_encoding(body), "replace").lstrip("\ufeff")
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise Unreadable(f"{error.msg} at character {error.pos}") from None
    except RecursionError:
        raise Unreadable("it nests too deeply") from None
    except ValueError:  # a whole number with more digits than Python reads
        return _with_long_numbers(text)


def _with_long_numbers(text: str) -> Any:
    try:
        return json.loads(text, parse_int=_int_or_text)
    except (ValueError, RecursionError):
        raise Unreadable("it holds a number that can't be read") from None


def _int_or_text(digits: str) -> int | str:
    return int(digits) if _LONG_NUMBER.fullmatch(digits) else digits[:300]


def clean(value: Any) -> Clean:
    """``value`` with U+FFFD for characters that can't be stored and text for numbers beyond 10^±15.

    Raises :class:`TooComplex`. Keys are cleaned like texts. A look at the whole as one text tells of nearly
    all values that there is nothing to clean; only the others are walked through, value by value.
    """
    try:
        text = orjson.dumps(value)
    except orjson.JSONEncodeError:  # half a surrogate pair, a huge number, or too deep: the walk says which
        text = b""
    if text and _is_plain(text) and (b"null" not in text or _is_finite(value)):
        return Clean(value, len(text), text_changed=False, number_changed=False)
    walk = _Walk()
    cleaned = walk.clean(value, 0)
    return Clean(cleaned, len(orjson.dumps(cleaned)), walk.text_changed, walk.number_changed)


def _is_plain(text: bytes) -> bool:
    """Whether this JSON certainly holds nothing that must be changed or refused, but for endless numbers."""
    containers = text.count(b"{") + text.count(b"[")
    return (
        containers <= MAX_DEPTH
        and text.count(b",") + containers < MAX_VALUES
        and b"\\u0000" not in text
        and not _has_doubtful_number(text)
    )


def _has_doubtful_number(text: bytes) -> bool:
    """The pattern looks at every character; what it must find in any case is looked for first."""
    if b"e+" in text or b"e-" in text or _SIXTEEN in text.translate(_DIGITS):
        return _DOUBTFUL_NUMBER.search(b"[" + text) is not None
    return False


def _is_finite(value: Any) -> bool:
    """Whether each ``null`` in its JSON is a null: NaN and endless numbers are written as such."""
    try:
        _finite(value)
    except ValueError:
        return False
    return True


class _Walk:
    __slots__ = ("number_changed", "text_changed", "values")

    def __init__(self) -> None:
        self.values = 0
        self.text_changed = self.number_changed = False

    def clean(self, value: Any, depth: int) -> Any:
        """The value, the same object where nothing had to change in a text or number."""
        self.values += 1
        if self.values > MAX_VALUES:
            raise TooComplex(f"it holds more than {MAX_VALUES} values")
        kind = type(value)
        if kind is str:
            return self.text(value)
        if kind is dict or kind is list:
            if depth >= MAX_DEPTH:
                raise TooComplex(f"it nests deeper than {MAX_DEPTH} levels")
            if kind is list:
                return [self.clean(item, depth + 1) for item in value]
            return {self.text(key): self.clean(item, depth + 1) for key, item in value.items()}
        if kind is int or kind is float:
            return self.number(value)
        return value

    def text(self, value: str) -> str:
        if _UNSTORABLE.search(value) is None:
            return value
        self.text_changed = True
        return _UNSTORABLE.sub("\ufffd", value)

    def number(self, value: float) -> float | str:
        size = abs(value)
        if size == 0 or (size <= _LARGEST and (type(value) is int or size >= _SMALLEST)):
            return value
        self.number_changed = True
        return str(value)
