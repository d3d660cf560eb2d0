"""Loops that find their work by SQL.

Each loop is a function ``run_once(*, now, limit) -> int`` which returns how many items it handled.
It is called by a nudge after a commit, by Celery beat and by ``manage.py runloops``; any one of the
three is enough, so a lost message delays work and never loses it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.db import transaction

logger = logging.getLogger(__name__)


class RunOnce(Protocol):
    """One pass: handle at most ``limit`` due items, return how many there were."""

    def __call__(self, *, now: datetime, limit: int) -> int: ...


@dataclass(frozen=True, slots=True)
class Loop:
    """A named loop, how often beat calls it and on which Celery queue.

    ``true_clock`` holds the loop while the machine's clock is suspected to have jumped: what it does
    cannot be taken back, so waiting is the safe side.
    """

    name: str
    run_once: RunOnce
    every_seconds: float = 10.0
    limit: int = 500
    queue: str = "default"
    true_clock: bool = False


_loops: dict[str, Loop] = {}


def register(loop: Loop) -> None:
    """Make a loop known. Called from ``AppConfig.ready`` only."""
    _loops[loop.name] = loop


def get(name: str) -> Loop:
    """Return the loop of that name, or raise ``KeyError``."""
    return _loops[name]


def all_loops() -> list[Loop]:
    """Every registered loop, by name."""
    return [_loops[name] for name in sorted(_loops)]


class Sender:
    """Sends nudges, and stops trying for a while when the broker fails.

    A frozen broker costs each try its time-out. The breaker makes one request pay for it, not all.
    """

    def __init__(self, *, pause_seconds: float = 5.0) -> None:
        self.send: Callable[[Loop], None] | None = None
        self.pause_seconds = pause_seconds
        self.sent = self.failed = self.skipped = 0
        self._closed_until = 0.0

    def __call__(self, name: str) -> None:
        """Nudge the loop; failures are counted and logged, never raised."""
        if self.send is None:
            return
        if time.monotonic() < self._closed_until:
            self.skipped += 1
            return
        try:
            self.send(get(name))
        except Exception as error:  # whatever a broker may raise: the work is found by the next sweep
            self._closed_until = time.monotonic() + self.pause_seconds
            self.failed += 1
            logger.warning("nudge_failed", extra={"loop": name, "error": repr(error)})
        else:
            self.sent += 1


# The composition root (smarketing.celery) gives it the way to the broker; without one, as in tests and
# commands, nudges go nowhere and beat finds the work.
sender = Sender()


@dataclass(frozen=True, slots=True)
class _Nudge:
    name: str

    def __call__(self) -> None:
        sender(self.name)


def nudge(name: str) -> None:
    """Have the loop look for work as soon as the present transaction is committed.

    Never raises and promises nothing: one nudge per loop and transaction, best effort. Raises
    ``KeyError`` for a name that no loop has, which is a mistake of the program.
    """
    get(name)
    connection = transaction.get_connection()
    wanted, here = _Nudge(name), set(connection.savepoint_ids)
    if not any(planned[1] == wanted and planned[0] == here for planned in connection.run_on_commit):
        transaction.on_commit(wanted, robust=True)
