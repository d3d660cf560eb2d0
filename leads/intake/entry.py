"""How a web server enters: tracking goes to the intake, everything else to Django.

A server under many waiting senders has many threads, each of which would open a connection of its own
to the database if it ran a page. So pages run in a few threads of their own; the server's threads only
wait for them or for the intake's commit.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from leads.intake.application import Intake, is_ours
from leads.intake.group_commit import GroupCommit
from smarketing.web.edge import TrustedAddress

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]


class Entry:
    """WSGI. ``page_threads`` is how many pages a process works on at once."""

    def __init__(self, pages: Application, *, page_threads: int) -> None:
        self.pages = pages
        self.intake = Intake(GroupCommit())
        self.address = TrustedAddress()
        self._page_threads = page_threads
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        os.register_at_fork(after_in_child=self._forget_threads)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if is_ours(environ.get("PATH_INFO", "")):
            self.address.settle(environ)
            return self.intake(environ, start_response)
        return self._workers().submit(self.pages, environ, start_response).result()

    def _workers(self) -> ThreadPoolExecutor:
        """The threads of this process."""
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._page_threads, thread_name_prefix="page")
            return self._pool

    def _forget_threads(self) -> None:
        """A fork takes no threads along."""
        self._lock = threading.Lock()
        self._pool = None
