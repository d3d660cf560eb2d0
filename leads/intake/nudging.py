"""Telling the workers that there is something in the inbox, without waiting for the broker."""

from __future__ import annotations

import threading

from smarketing.core import loops

_APART_SECONDS = 0.2


class Nudger:
    """Sends at most five nudges a second from a thread of its own; a broker that hangs holds up nobody."""

    def __init__(self, loop: str) -> None:
        self.loop = loop
        self._wanted = threading.Event()
        self._thread: threading.Thread | None = None
        self._rest = threading.Event()  # never set: something to wait on

    def wake(self) -> None:
        """Have the loop look soon. Called by one thread only."""
        self._wanted.set()
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._work, name="intake nudges", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            loops.sender(self.loop)
            self._rest.wait(_APART_SECONDS)
