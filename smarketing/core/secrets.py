"""Secrets at rest (webhook secrets, mail passwords), encrypted with keys of their own.

A dump of the database alone discloses none of them. ``FIELD_ENCRYPTION_KEYS`` holds Fernet keys,
newest first: the first encrypts, all decrypt, so keys turn over without a moment of trouble.
"""

from __future__ import annotations

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class UndecryptableSecret(Exception):
    """None of the keys opens this secret; the key it was made with is missing."""


def encrypt(secret: str) -> str:
    """The secret as text for a column."""
    return _keys().encrypt(secret.encode()).decode()


def decrypt(stored: str) -> str:
    """The secret again. Raises :class:`UndecryptableSecret`."""
    try:
        return _keys().decrypt(stored.encode()).decode()
    except InvalidToken as error:
        raise UndecryptableSecret("no key in FIELD_ENCRYPTION_KEYS opens this secret") from error


def renew(stored: str) -> str:
    """The same secret under the newest key."""
    try:
        return _keys().rotate(stored.encode()).decode()
    except InvalidToken as error:
        raise UndecryptableSecret("no key in FIELD_ENCRYPTION_KEYS opens this secret") from error


def _keys() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.FIELD_ENCRYPTION_KEYS])
