"""For how long a lead may be set aside; a running clock goes on meanwhile."""

from __future__ import annotations

from datetime import datetime, timedelta

LONGEST = timedelta(days=30)
LONGEST_REASON = 200
PAST, TOO_FAR, NO_REASON = "in_the_past", "too_far", "required"


def fault_of_until(until: datetime, *, now: datetime) -> str:
    """What is wrong with an end: "" if nothing is."""
    if until <= now:
        return PAST
    return TOO_FAR if until - now > LONGEST else ""


def is_asleep(*, until: datetime, due_at: datetime | None, now: datetime) -> bool:
    """Whether a lead is still set aside: until the end of the snooze, or until its deadline has passed.

    Silence must be visible, so an overdue lead stands in the queue whatever its owner has asked for.
    """
    return now < until and not (due_at is not None and due_at < now)
