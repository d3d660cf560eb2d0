"""The form of API tokens: ``sm_<8 characters>_<32 random bytes in base 62>``.

The secret has 256 bits, so a plain SHA-256 is enough to keep (no guessing, ASVS 6.5.2); the prefix
finds the row and is what logs and lists show.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
PREFIX_LENGTH = 8
_SECRET_LENGTH = 43  # ceil(256 / log2(62))
_FORM = re.compile(rf"^sm_([0-9A-Za-z]{{{PREFIX_LENGTH}}})_[0-9A-Za-z]{{{_SECRET_LENGTH}}}$")


def new_token() -> tuple[str, str]:
    """A fresh token and its prefix."""
    prefix = "".join(secrets.choice(_ALPHABET) for _ in range(PREFIX_LENGTH))
    return f"sm_{prefix}_{_base62(secrets.token_bytes(32))}", prefix


def prefix_of(token: str) -> str | None:
    """The prefix of a well-formed token, else ``None``."""
    found = _FORM.match(token)
    return found.group(1) if found else None


def digest_of(token: str) -> bytes:
    """What the database keeps instead of the token."""
    return hashlib.sha256(token.encode()).digest()


def same(digest: bytes, token: str) -> bool:
    """Whether ``token`` is the one behind ``digest``, in constant time."""
    return hmac.compare_digest(digest, digest_of(token))


def _base62(data: bytes) -> str:
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 62)
        text = _ALPHABET[digit] + text
    return text.rjust(_SECRET_LENGTH, "0")
