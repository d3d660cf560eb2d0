"""Doing things at the same time, for tests of races."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from django.db import connections


def at_once(number: int, act: Callable[[int], Any]) -> list[Any]:
    """What ``act`` returns or raises in so many threads that start together."""
    start = threading.Barrier(number)
    results: list[Any] = [None] * number

    def run(mine: int) -> None:
        start.wait()
        try:
            results[mine] = act(mine)
        except Exception as error:
            results[mine] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results
