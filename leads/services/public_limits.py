"""So many requests a minute from one network: what keeps a flood on a public address away.

Counters live in the cache and fail open: a lost cache resets the limits and stops nobody.
"""

from __future__ import annotations

import math
from datetime import datetime

from django.core.cache import caches
from django.utils.translation import gettext as _

from smarketing.core.errors import Busy


class TooManyRequests(Busy):
    """The limit of this minute is reached; ``retry_after`` is in seconds."""

    def __init__(self, detail: str, *, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


def count(*, key: str, limit: int, seconds: int = 60, now: datetime) -> None:
    """Count one request under ``key``. Raises :class:`TooManyRequests` beyond ``limit`` per window."""
    at = now.timestamp()
    window = int(at // seconds)
    cache = caches["counters"]
    name = f"public:{key}:{window}"
    cache.add(name, 0, timeout=2 * seconds)
    try:
        used = int(cache.incr(name))
    except ValueError:
        return
    if used > limit:
        wait = max(1, math.ceil((window + 1) * seconds - at))
        raise TooManyRequests(_("Too many answers at once. Try again in a minute."), retry_after=wait)
