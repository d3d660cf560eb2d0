"""The only reader of the clock.

A request, a task or a command reads the time once, at its edge, and passes it on as ``now``.
Everything below takes time as an argument, so that it can be simulated and tested.
"""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """Return the present instant, aware, in UTC."""
    return datetime.now(tz=UTC)
