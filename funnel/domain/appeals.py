"""The court of appeal for returns (N5): who rules, until when, and when a reason is unclear."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import log2

# Marketing may contest a return for so long after sales' answer where the agreement says nothing.
DEFAULT_WINDOW = timedelta(days=14)
# The teams mean different things by a reason of which more than this share of so many rulings was overturned.
UNCLEAR_SHARE = 0.5
UNCLEAR_RULINGS = 20


@dataclass(frozen=True, slots=True)
class Term:
    """For how long a return may be contested, of returns from ``since`` on (``None``: from the first)."""

    since: datetime | None
    window: timedelta


def window(terms: Sequence[Term], returned_at: datetime) -> timedelta:
    """The window of a return: what was agreed when sales gave it back; ``terms`` come newest first."""
    found = (term.window for term in terms if term.since is None or term.since <= returned_at)
    return next(found, DEFAULT_WINDOW)


@dataclass(frozen=True, slots=True)
class Judge:
    """A manager who may rule, and how many appeals were given to them so far."""

    user_id: int
    cases: int


def arbiter(judges: Sequence[Judge], *, parties: Iterable[int | None]) -> int | None:
    """Whose turn it is: the fewest cases, then the longest here; nobody rules on their own word.

    ``parties`` are who returned the lead, who got it and who appeals. ``None`` when nobody is left.
    """
    involved = set(parties)
    free = [judge for judge in judges if judge.user_id not in involved]
    return min(free, key=lambda judge: (judge.cases, judge.user_id)).user_id if free else None


def is_unclear(*, overturned: int, ruled: int) -> bool:
    """Whether a reason belongs on the next agenda: more than half of at least twenty rulings overturned."""
    return ruled >= UNCLEAR_RULINGS and overturned > UNCLEAR_SHARE * ruled


def entropy(counts: Iterable[int]) -> float:
    """Shannon entropy of reasons in bits: 0 when one reason says it all, log2 n when n are equally common."""
    known = [count for count in counts if count > 0]
    total = sum(known)
    return sum(count / total * log2(total / count) for count in known)
