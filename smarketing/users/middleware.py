"""How long a session lasts: eight hours without use, seven days in all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.contrib.auth import SESSION_KEY, logout
from django.http import HttpRequest, HttpResponseBase

from smarketing.core import clock

IDLE = timedelta(hours=8)
ABSOLUTE = timedelta(days=7)
_NOTE_EVERY = timedelta(minutes=5)
_BORN, _SEEN = "_signed_in_at", "_seen_at"


class SessionLimits:
    """Ends a session that is too old or was left alone; stands after Django's authentication."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.user.is_authenticated:
            self._check(request, clock.now().timestamp())
        response = self.get_response(request)
        # Signed in just now. A program with a token is a user without a session and must not get one.
        if request.user.is_authenticated and _BORN not in request.session and SESSION_KEY in request.session:
            request.session[_BORN] = request.session[_SEEN] = clock.now().timestamp()
        return response

    @staticmethod
    def _check(request: HttpRequest, at: float) -> None:
        session = request.session
        born, seen = session.get(_BORN), session.get(_SEEN)
        if (born is not None and at - born > ABSOLUTE.total_seconds()) or (
            seen is not None and at - seen > IDLE.total_seconds()
        ):
            logout(request)
            return
        elif seen is None or at - seen > _NOTE_EVERY.total_seconds():
            session[_SEEN] = at
