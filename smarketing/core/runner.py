"""Runs a loop's passes until nothing is due; shared by the Celery task and ``runloops``."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from smarketing.core import heartbeats
from smarketing.core.loops import Loop


def drain(loop: Loop, *, clock: Callable[[], datetime], seconds: float = 20.0) -> int:
    """Pass after pass, each at its own instant, until one is not full or the time is up.

    Returns how many items were handled. A loop that needs a true clock handles none while the clock
    is suspected to have jumped.
    """
    if loop.true_clock and not heartbeats.clock_is_true(wall=clock()):
        return 0
    deadline = time.monotonic() + seconds
    handled = 0
    while True:
        found = loop.run_once(now=clock(), limit=loop.limit)
        handled += found
        if found < loop.limit or time.monotonic() >= deadline:
            return handled
