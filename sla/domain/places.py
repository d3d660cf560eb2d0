"""Where a lead stands in a rep's queue, and that place as text in the address of the next page.

With a deadline before without; the earliest first; then the likeliest, or what may bring most; then the
hottest; then the oldest handoff. A place is total and stays valid when the lead it was taken from has gone.
"""

from __future__ import annotations

import base64
import json
import math
from dataclasses import dataclass
from datetime import datetime

_LONGEST = 400
# Behind every likelihood, value and interest that is known.
_UNKNOWN = 1e18


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """The order of the queue is the order of these."""

    bucket: int
    due: str
    unlikely: float
    cold: float
    handoff: int

    def text(self) -> str:
        """As it stands in an address."""
        body = json.dumps([self.bucket, self.due, self.unlikely, self.cold, self.handoff])
        return base64.urlsafe_b64encode(body.encode()).decode().rstrip("=")


def place(*, handoff: int, due_at: datetime | None, promising: float | None, interest: float | None) -> Place:
    """The place of a handoff; ``promising`` is its likelihood or expected value. What is unknown is last."""
    return Place(
        0 if due_at else 1,
        due_at.isoformat() if due_at else "",
        -promising if promising is not None else _UNKNOWN,
        -interest if interest is not None else _UNKNOWN,
        handoff,
    )


def read(text: str) -> Place | None:
    """The place that ``text`` names; ``None`` for what no place has ever said of itself."""
    if not text or len(text) > _LONGEST:
        return None
    try:
        found = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        bucket, due, unlikely, cold, handoff = found
    except (ValueError, TypeError, RecursionError):
        return None
    numbers = (unlikely, cold)
    if type(bucket) is not int or type(handoff) is not int or not isinstance(due, str):
        return None
    if not all(type(n) in (int, float) and math.isfinite(n) for n in numbers):
        return None
    return Place(bucket, due, float(unlikely), float(cold), handoff)
