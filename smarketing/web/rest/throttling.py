"""So many requests a minute per token, told by ``RateLimit`` headers.

Counters live in the cache and fail open: a lost cache resets the limits and stops nobody. Sign-in
has limits of its own, kept in the database.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.cache import caches
from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from smarketing.core import clock
from smarketing.users.models import ApiToken

if TYPE_CHECKING:
    from rest_framework.views import APIView

WINDOW_SECONDS = 60


class TokenThrottle(BaseThrottle):
    """A fixed window of one minute per token, else per user."""

    remaining: int | None = None
    reset: int = WINDOW_SECONDS

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Count the request; ``True`` when the cache is away."""
        limit: int = settings.API_REQUESTS_PER_MINUTE
        who = f"t{request.auth.pk}" if isinstance(request.auth, ApiToken) else f"u{request.user.pk}"
        at = clock.now().timestamp()
        window = int(at // WINDOW_SECONDS)
        self.reset = max(1, math.ceil((window + 1) * WINDOW_SECONDS - at))
        counters: Any = caches["counters"]
        used: int | None = counters.count(f"rate:{who}:{window}", 2 * WINDOW_SECONDS)
        if used is None:
            return True
        self.remaining = max(0, limit - used)
        request._request.rate_limit = self  # type: ignore[attr-defined]
        return used <= limit

    def wait(self) -> float:
        """Seconds until the window turns."""
        return float(self.reset)


def add_headers(response: HttpResponse, request: Any) -> None:
    """``RateLimit-Policy`` and ``RateLimit`` (IETF httpapi draft) on every counted answer."""
    throttle = getattr(request, "rate_limit", None)
    if throttle is not None and throttle.remaining is not None:
        response["RateLimit-Policy"] = f'"default";q={settings.API_REQUESTS_PER_MINUTE};w={WINDOW_SECONDS}'
        response["RateLimit"] = f'"default";r={throttle.remaining};t={throttle.reset}'
