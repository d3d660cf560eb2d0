"""How passwords are judged and hashed."""

from __future__ import annotations

import threading
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from smarketing.core.errors import Busy

MAX_LENGTH = 256
# One hash takes 100 MiB: so many at a time and process, or signing in would exhaust the memory.
_SLOTS = threading.BoundedSemaphore(4)
_PATIENCE_SECONDS = 5.0


class BoundedArgon2(Argon2PasswordHasher):
    """Argon2id, at most four at a time; who waits longer than five seconds is told to try again."""

    def encode(self, password: str, salt: str) -> str:
        with _Slot():
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        with _Slot():
            return super().verify(password, encoded)


class _Slot:
    def __enter__(self) -> None:
        if not _SLOTS.acquire(timeout=_PATIENCE_SECONDS):
            raise Busy("Too many people sign in at this moment. Try again in a few seconds.")

    def __exit__(self, *_error: object) -> None:
        _SLOTS.release()


class LengthValidator:
    """Not longer than 256 characters: hashing more is work for nothing."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ``ValidationError`` if it is longer."""
        if len(password) > MAX_LENGTH:
            raise ValidationError(self.get_help_text(), code="password_too_long")

    def get_help_text(self) -> str:
        """The rule in words."""
        return _("Use at most %(count)d characters.") % {"count": MAX_LENGTH}


class ContextValidator:
    """Not made of the words an attacker tries first: the product's, the host's, the user's."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ``ValidationError`` if little is left without those words."""
        rest = "".join(c for c in password.lower() if c.isalnum())
        for word in sorted(_context_words(user), key=len, reverse=True):
            rest = rest.replace(word, "")
        if len(rest) < 8:
            raise ValidationError(self.get_help_text(), code="password_from_context")

    def get_help_text(self) -> str:
        """The rule in words."""
        return _("Do not build the password from your name, your address or the name of this site.")


def _context_words(user: Any) -> set[str]:
    host = urlsplit(settings.SITE_URL).hostname or ""
    texts = ["smarketing", "marketing", "sales", "password", "welcome", "letmein", *host.split(".")]
    if user is not None:
        texts += [*(user.name or "").split(), *(user.email or "").replace("@", ".").split(".")]
    words = ("".join(c for c in text.lower() if c.isalnum()) for text in texts)
    return {word for word in words if len(word) >= 4}
