"""How many events one network may send: a bucket of tokens each, in the memory of the process.

The limit of a key is kept over all processes (see :mod:`leads.intake.calls`); this one only keeps a
single visitor's machine from filling the inbox, and needs no agreement between processes.
"""

from __future__ import annotations

import threading
import time

_MOST = 20_000  # networks remembered; the longest unheard are forgotten


class NetworkLimits:
    """Tokens flow back evenly over a minute; a full bucket is a minute's worth."""

    def __init__(self) -> None:
        self._buckets: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def take(self, network: str, events: int, *, per_minute: int) -> int:
        """Take ``events`` tokens: 0 when there were enough, else the seconds until there are."""
        now = time.monotonic()
        with self._lock:
            tokens, at = self._buckets.pop(network, (float(per_minute), now))
            tokens = min(float(per_minute), tokens + (now - at) * per_minute / 60)
            if len(self._buckets) >= _MOST:
                del self._buckets[next(iter(self._buckets))]
            # A request larger than the bucket passes when the bucket is full.
            enough = tokens >= min(events, per_minute)
            self._buckets[network] = (max(0.0, tokens - events) if enough else tokens, now)
        if enough:
            return 0
        return max(1, round((min(events, per_minute) - tokens) * 60 / per_minute + 0.5))
