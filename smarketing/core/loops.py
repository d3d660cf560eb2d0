"""Loops that find their work by SQL.

Each loop is a function ``run_once(*, now, limit) -> int`` which returns how many items it handled.
It is called by a nudge after a commit, by Celery beat and by ``manage.py runloops``; any one of the
three is enough, so a lost message delays work and never loses it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class RunOnce(Protocol):
    """One pass: handle at most ``limit`` due items, return how many there were."""

    def __call__(self, *, now: datetime, limit: int) -> int: ...


@dataclass(frozen=True, slots=True)
class Loop:
    """A named loop, how often beat calls it and on which Celery queue."""

    name: str
    run_once: RunOnce
    every_seconds: float = 10.0
    limit: int = 500
    queue: str = "default"


_loops: dict[str, Loop] = {}
_sender: list[Callable[[str], None]] = []


def register(loop: Loop) -> None:
    """Make a loop known. Called from ``AppConfig.ready`` only."""
    _loops[loop.name] = loop


def get(name: str) -> Loop:
    """Return the loop of that name, or raise ``KeyError``."""
    return _loops[name]


def all_loops() -> list[Loop]:
    """Every registered loop, by name."""
    return [_loops[name] for name in sorted(_loops)]
