"""Signs of life: the canary's way through broker and worker, and jumps of the machine's clock.

A jump is told by two clocks that must advance together: the wall clock and the time since boot,
which no time server moves and which counts suspended time. When the wall clock gains more than two
minutes on it, actions that can't be taken back are held until the clock is back or a person has
looked. A clock that goes back is only recorded: unique keys keep what has happened from happening
again.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from smarketing.core.models import Heartbeat

logger = logging.getLogger(__name__)

CANARY = "canary"
CANARY_LATE = timedelta(seconds=180)  # beat sends one a minute
JUMP_SECONDS = 120.0
_REFRESH_SECONDS = 30.0


def beat(*, name: str, now: datetime) -> None:
    """Record that the part of that name was alive at ``now``."""
    Heartbeat.objects.update_or_create(name=name, defaults={"beat_at": now})


def age(*, name: str, now: datetime) -> timedelta | None:
    """How long ago the part was last alive, or ``None`` when it never was."""
    beat_at = Heartbeat.objects.filter(name=name).values_list("beat_at", flat=True).first()
    return None if beat_at is None else now - beat_at


def canary_is_late(*, now: datetime) -> bool:
    """Whether a worker has been heard of, and longer than three minutes ago (I-24)."""
    found = age(name=CANARY, now=now)
    return found is not None and found > CANARY_LATE


def clock_is_true(*, wall: datetime) -> bool:
    """Compare the clocks and say whether what depends on the time may go on.

    Writes at most every half minute. A machine that does not tell its boot is trusted.
    """
    boot, running = _boot_id(), _seconds_since_boot()
    if boot is None or running is None:
        return True
    offset = wall.timestamp() - running
    row, made = Heartbeat.objects.get_or_create(
        name=f"clock {boot}", defaults={"beat_at": wall, "clock_offset_seconds": offset}
    )
    if made or row.clock_offset_seconds is None:
        return True
    gained = offset - row.clock_offset_seconds
    if gained > JUMP_SECONDS:
        if row.held_at is None:
            logger.error("clock_jumped", extra={"gained_seconds": round(gained)})
            Heartbeat.objects.filter(pk=row.pk, held_at=None).update(held_at=wall)
        return False
    back = gained < -JUMP_SECONDS
    if back:
        logger.warning("clock_went_back", extra={"gained_seconds": round(gained)})
    stale = abs((wall - row.beat_at).total_seconds()) >= _REFRESH_SECONDS
    if back or row.held_at is not None or stale:
        # Small steps are a time server's work: follow them, so that they do not add up to a jump.
        Heartbeat.objects.filter(pk=row.pk).update(beat_at=wall, clock_offset_seconds=offset, held_at=None)
    return True


def clock_held_since() -> datetime | None:
    """Since when loops are held because the clock is suspected to have jumped."""
    return (
        Heartbeat.objects.filter(held_at__isnull=False)
        .order_by("held_at")
        .values_list("held_at", flat=True)
        .first()
    )


def trust_clock() -> int:
    """A person has looked: take the present clocks as true. Returns how many holds were lifted."""
    return Heartbeat.objects.filter(held_at__isnull=False).delete()[0]


@cache
def _boot_id() -> str | None:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None


def _seconds_since_boot() -> float | None:
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return None if clock is None else time.clock_gettime(clock)
