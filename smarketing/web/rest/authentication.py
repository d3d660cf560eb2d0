"""Who is asking: a bearer token of a program, or the session of a page of ours."""

from __future__ import annotations

from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request

from smarketing.core import clock
from smarketing.users.models import ApiToken, User
from smarketing.users.services import tokens


class BearerAuthentication(BaseAuthentication):
    """``Authorization: Bearer sm_…``; never in the address (it would be logged)."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """The token's user. Raises :class:`tokens.BadToken` (401)."""
        scheme, _, presented = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = tokens.authenticate(presented=presented.strip(), now=clock.now())
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="smarketing"'


class PageSession(SessionAuthentication):
    """The signed-in browser; unsafe methods need the CSRF token as on any page."""
