"""The loops of the users app."""

from __future__ import annotations

from smarketing.core import loops
from smarketing.users.services import idempotency


def connect() -> None:
    """Answers kept for repeated requests are forgotten after a day."""
    loops.register(loops.Loop("idempotency", idempotency.forget_old, every_seconds=3600, limit=5000))
