"""A form that makes something is carried out once, however often it is sent.

The form holds a number used once. The first POST with it is carried out and leaves the address of
what it made; the same form sent again (a double click, "back" and "send") leads there.
"""

from __future__ import annotations

import secrets

from django.core.cache import cache

from smarketing.web.pages import Request

FIELD = "once"
_REMEMBERED_SECONDS = 86_400
_BEGUN = "begun"
# A POST that died on the way blocks its form for this long only.
_BEGUN_SECONDS = 60


def token() -> str:
    """A fresh number for a form that is shown."""
    return secrets.token_urlsafe(16)


def begin(request: Request) -> str | None:
    """``None`` when this POST is the first of its form, else the address its first one led to.

    An empty address says that the first one has not been answered yet. A POST without a number is
    always the first.
    """
    key = _key(request)
    if key is None or cache.add(key, _BEGUN, _BEGUN_SECONDS):
        return None
    known = cache.get(key)
    return "" if known in (None, _BEGUN) else str(known)


def done(request: Request, address: str) -> None:
    """Remember where the first POST has led."""
    key = _key(request)
    if key is not None:
        cache.set(key, address, _REMEMBERED_SECONDS)


def failed(request: Request) -> None:
    """Nothing was made: the form may be sent again."""
    key = _key(request)
    if key is not None:
        cache.delete(key)


def _key(request: Request) -> str | None:
    given = request.POST.get(FIELD, "")
    return f"once:{request.user.pk}:{given}" if 0 < len(given) <= 64 and given.isascii() else None
