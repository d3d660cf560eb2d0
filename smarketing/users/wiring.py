"""The loops and invariants of the users app, and what a changed second factor does."""

from __future__ import annotations

from typing import Any

from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest

from smarketing.core import invariants, loops
from smarketing.users import cache
from smarketing.users.invariants import ALL
from smarketing.users.models import User
from smarketing.users.services import idempotency, throttle, users


def connect() -> None:
    """Register; the signals are allauth's only way to say that a second factor has changed."""
    loops.register(loops.Loop("idempotency", idempotency.forget_old, every_seconds=3600, limit=5000))
    loops.register(loops.Loop("sign_in_failures", throttle.forget_old, every_seconds=3600, limit=5000))
    loops.register(loops.Loop("short_memory", cache.forget_expired, every_seconds=3600, limit=5000))
    for invariant in ALL:
        invariants.register(invariant)
    for signal in (authenticator_added, authenticator_removed, authenticator_reset):
        signal.connect(_second_factor_changed, dispatch_uid="users.second_factor")


def _second_factor_changed(request: HttpRequest, user: User, **_signal: Any) -> None:
    """Every other session ends; the present one goes on."""
    users.sign_out_everywhere(user=user, except_session=request.session.session_key)
    update_session_auth_hash(request, user)
