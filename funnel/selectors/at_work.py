"""Who is at work, and who has been given as much as was agreed: told by the app that keeps the agreement."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

Hours = Callable[[Collection[int], datetime], frozenset[int]]
Ceiling = Callable[[Collection[int], datetime, str], frozenset[int]]

_in_hours: list[Hours] = []
_at_ceiling: list[Ceiling] = []


def register(*, in_hours: Hours, at_ceiling: Ceiling) -> None:
    """Called from the wiring: who of these users is in working hours, and whose supply is at its ceiling."""
    _in_hours[:], _at_ceiling[:] = [in_hours], [at_ceiling]


def in_hours(user_ids: Collection[int], now: datetime) -> frozenset[int]:
    """Those of ``user_ids`` whose working hours hold ``now``; all where nobody keeps hours."""
    return _in_hours[0](user_ids, now) if _in_hours else frozenset(user_ids)


def at_ceiling(user_ids: Collection[int], now: datetime, band: str) -> frozenset[int]:
    """Those of ``user_ids`` who may be given no more leads of ``band`` in the present period."""
    return _at_ceiling[0](user_ids, now, band) if _at_ceiling else frozenset()
