"""The one reader of JSON bodies: strict, bounded, never an internal error.

What a plain parser lets through and the database then refuses (NUL, lone surrogates, numbers without
end, nesting that exhausts the stack) is answered here with a clear 400.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from django.conf import settings
from rest_framework.parsers import BaseParser

from smarketing.core.errors import DomainError

MAX_DEPTH = 20
MAX_NODES = 2_000
MAX_NUMBER = 10**15
_MAX_INT_DIGITS = 20
_MAX_FLOAT_DIGITS = 25


class Unreadable(DomainError):
    """The body is not JSON that we accept."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "malformed_json"
    title: ClassVar[str] = "The request body can't be read"


class TooLarge(DomainError):
    """The body has more bytes than this address takes."""

    status: ClassVar[int] = 413
    code: ClassVar[str] = "too_large"
    title: ClassVar[str] = "The request is too large"


class Encoded(DomainError):
    """The body is compressed; it is not inflated, so it can't be a bomb."""

    status: ClassVar[int] = 415
    code: ClassVar[str] = "unsupported_media_type"
    title: ClassVar[str] = "This form of body is not accepted"


class StrictJSONParser(BaseParser):
    """UTF-8 JSON of bounded size, depth, node count and numbers, without duplicate keys.

    A bulk view raises the caps with its attributes ``max_body_bytes`` and ``max_json_nodes``.
    """

    media_type = "application/json"

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Read the whole body. Raises :class:`Unreadable`, :class:`TooLarge`, :class:`Encoded`."""
        context = parser_context or {}
        view, request = context.get("view"), context.get("request")
        headers = request.headers if request is not None else {}
        if headers.get("Content-Encoding", "identity") != "identity":
            raise Encoded("Send the body without Content-Encoding.")
        cap = getattr(view, "max_body_bytes", settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
        body = stream.read(cap + 1)
        if len(body) > cap:
            raise TooLarge(f"Send at most {cap} bytes at a time.")
        return loads(body, max_nodes=getattr(view, "max_json_nodes", MAX_NODES))


def loads(body: bytes, *, max_nodes: int = MAX_NODES) -> Any:
    """Decode ``body`` or raise :class:`Unreadable` with the reason."""
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_int=_integer,
            parse_float=_float,
        )
    except RecursionError as error:
        raise Unreadable("The JSON is nested too deeply.", code="too_deep") from error
    except UnicodeDecodeError as error:
        raise Unreadable("The body is not UTF-8.") from error
    except json.JSONDecodeError as error:
        raise Unreadable(f"The JSON ends or breaks at line {error.lineno}, column {error.colno}.") from error
    except ValueError as error:
        raise Unreadable(str(error)) from error
    _check(value, max_nodes=max_nodes)
    return value


def _check(value: Any, *, max_nodes: int) -> None:
    """Walk without recursion: depth, number of nodes, text the database can store."""
    todo: list[tuple[Any, int]] = [(value, 1)]
    nodes = 0
    while todo:
        at, depth = todo.pop()
        nodes += 1
        if nodes > max_nodes:
            raise Unreadable(f"The JSON has more than {max_nodes} values.", code="too_many_values")
        if isinstance(at, str):
            _text(at)
        elif isinstance(at, dict | list):
            if depth > MAX_DEPTH:
                raise Unreadable(f"The JSON is nested deeper than {MAX_DEPTH}.", code="too_deep")
            todo.extend((child, depth + 1) for child in _children(at))


def _children(at: dict[str, Any] | list[Any]) -> Iterator[Any]:
    if isinstance(at, list):
        yield from at
        return
    for key, child in at.items():
        _text(key)
        yield child


def _text(text: str) -> None:
    if "\x00" in text:
        raise Unreadable("Text must not hold the NUL character.", code="nul_character")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Unreadable("Text holds half of a surrogate pair.", code="lone_surrogate") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("An object has the same key twice.")
    return result


def _constant(name: str) -> float:
    raise ValueError(f"{name} is not a number of JSON.")


def _integer(text: str) -> int:
    if len(text) > _MAX_INT_DIGITS or abs(int(text)) > MAX_NUMBER:
        raise ValueError(f"A number is beyond ±{MAX_NUMBER}.")
    return int(text)


def _float(text: str) -> float:
    if len(text) > _MAX_FLOAT_DIGITS:
        raise ValueError(f"A number has more than {_MAX_FLOAT_DIGITS} characters.")
    number = float(text)
    if not math.isfinite(number) or abs(number) > MAX_NUMBER:
        raise ValueError(f"A number is beyond ±{MAX_NUMBER}.")
    return number
