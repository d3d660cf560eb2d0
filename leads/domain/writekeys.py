"""The form of write keys and of the origins that may use them."""

from __future__ import annotations

import hashlib
import re
import secrets
import string
from urllib.parse import urlsplit

BROWSER_PREFIX, SERVER_PREFIX = "wk_", "sk_"
_ALPHABET = string.ascii_letters + string.digits
_SHOWN = 10  # characters of a secret key that lists and logs show
_LENGTH = {BROWSER_PREFIX: 24, SERVER_PREFIX: 43}
_ORIGIN = re.compile(
    r"^https?://((\*\.)?[a-z0-9]([a-z0-9.-]{0,200}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(:\d{1,5})?$"
)


class BadOrigin(ValueError):
    """The text is no origin; it says which is meant."""


def new_key(*, is_server: bool) -> str:
    """A fresh key: 142 bits for pages, where it only names a source, and 256 for servers."""
    prefix = SERVER_PREFIX if is_server else BROWSER_PREFIX
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH[prefix]))


def digest_of(key: str) -> bytes:
    """What finds a key: its SHA-256."""
    return hashlib.sha256(key.encode("utf-8", "replace")).digest()


def shown(key: str) -> str:
    """The part of a key that may stand in lists and logs."""
    return key[:_SHOWN]


def origin_of(text: str) -> str:
    """``scheme://host[:port]`` of an origin or page address, as browsers write it; "" if there is none."""
    try:
        parts = urlsplit(text.strip())
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not host:
        return ""
    if ":" in host:
        host = f"[{host}]"
    default = 443 if parts.scheme == "https" else 80
    return f"{parts.scheme}://{host}" + (f":{port}" if port and port != default else "")


def checked_origins(texts: list[str]) -> list[str]:
    """Origins for an allow-list, each once; ``https://*.example.com`` is every name below.

    Raises :class:`BadOrigin`.
    """
    found: list[str] = []
    for text in texts:
        origin = origin_of(text.replace("://*.", "://", 1))
        if "://*." in text:
            origin = origin.replace("://", "://*.", 1)
        if not _ORIGIN.match(origin):
            raise BadOrigin(f"“{text[:80]}” is no origin; write it like https://www.example.com")
        if origin not in found:
            found.append(origin)
    return found


def allows(origins: frozenset[str], origin: str) -> bool:
    """Whether an allow-list lets ``origin`` in; an empty list lets everybody in."""
    if not origins or origin in origins:
        return True
    scheme, _separator, host = origin.partition("://")
    labels = host.split(".")
    return any(f"{scheme}://*.{'.'.join(labels[start:])}" in origins for start in range(1, len(labels)))
