"""A query of the web that hears nothing for eight seconds fails, whatever the network does.

``statement_timeout`` is the server's; when packets vanish (a cable, a firewall, a frozen host) the
server's answer never comes and psycopg2 would wait for ever. A wait callback polls the connection
with a deadline of our own: about 0.1 ms a query. Green mode has no COPY, so only web processes
install it; the connection must not be closed inside the callback (it deadlocks), psycopg2 does that.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable

from psycopg2 import OperationalError, extensions

WEB_SECONDS = 8.0


def install(*, seconds: float = WEB_SECONDS) -> None:
    """Give every query of this process a deadline."""
    extensions.set_wait_callback(waiter(seconds))


def waiter(seconds: float) -> Callable[[extensions.connection], None]:
    """The callback psycopg2 calls instead of blocking in libpq."""

    def wait(connection: extensions.connection) -> None:
        until = time.monotonic() + seconds
        while True:
            state = connection.poll()
            if state == extensions.POLL_OK:
                return
            event = select.POLLIN if state == extensions.POLL_READ else select.POLLOUT
            poller = select.poll()  # select() itself stops at descriptor 1023
            poller.register(connection.fileno(), event)
            left = until - time.monotonic()
            if left <= 0 or not poller.poll(left * 1000):
                raise OperationalError(f"the database did not answer within {seconds:g} seconds")

    return wait
