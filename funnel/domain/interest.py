"""Interest as exact exponential decay, kept as sums that never need rescanning.

A signal's contribution halves every half-life h: S(t) = Σ wᵢ·2^(−(t−tᵢ)/h). Measured from a fixed landmark
E (forward decay: Cormode et al., "Forward Decay", ICDE 2009) it is enough to keep the mass
Mₛ = Σ 2^((tᵢ−E)/h) per signal: S(t) = 2^(−(t−E)/h)·Σ wₛ·Mₛ. An event is one addition, in any order;
log2(Σ wₛ·Mₛ) ranks people for all time; the instant of falling below a threshold is known in advance.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

SHIFT_AT = 400.0  # half-lives after which the landmark moves, well before MAX_EXPONENT
MAX_EXPONENT = 500.0
EARLIEST = datetime(1, 1, 1, tzinfo=UTC)
LATEST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Decay:
    """A landmark and a half-life: the frame in which masses and keys are meant."""

    landmark: datetime
    half_life: timedelta

    def __post_init__(self) -> None:
        if self.half_life <= timedelta(0):
            raise ValueError("A half-life must be longer than nothing.")
        if self.landmark.tzinfo is None:
            raise ValueError("The landmark must be an aware datetime.")

    def exponent(self, at: datetime) -> float:
        """Half-lives from the landmark to ``at``; negative before it."""
        return (at - self.landmark) / self.half_life

    def mass(self, at: datetime, count: float = 1.0) -> float:
        """What ``count`` events at ``at`` add to the mass of their signal. Raises OverflowError.

        An instant more than MAX_EXPONENT half-lives after the landmark needs ``shifted`` first.
        """
        exponent = self.exponent(at)
        if exponent > MAX_EXPONENT:
            raise OverflowError("Move the landmark before adding events this far after it.")
        return count * math.exp2(exponent) if exponent > -1100 else 0.0

    def total(self, weights: Sequence[float], masses: Sequence[float]) -> float:
        """Σ w·M without losing digits when contributions of either sign cancel."""
        return math.fsum(w * m for w, m in zip(weights, masses, strict=True))

    def key(self, weights: Sequence[float], masses: Sequence[float]) -> float | None:
        """``interest_key`` = log2(Σ w·M); None when there is no positive interest (the score is then ≤ 0)."""
        total = self.total(weights, masses)
        return math.log2(total) if total > 0 else None

    def score(self, weights: Sequence[float], masses: Sequence[float], at: datetime) -> float:
        """S(at). May be negative when weights are."""
        total = self.total(weights, masses)
        if total == 0:
            return 0.0
        return math.copysign(_exp2(math.log2(abs(total)) - self.exponent(at)), total)

    def score_of_key(self, key: float | None, at: datetime) -> float:
        """S(at) from the indexed key; 0.0 for None."""
        return 0.0 if key is None else _exp2(key - self.exponent(at))

    def cools_at(self, key: float | None, threshold: float) -> datetime | None:
        """The instant at which the score falls to ``threshold`` (> 0); None without interest.

        May lie in the past. Clamped to the years a datetime can hold.
        """
        if threshold <= 0:
            raise ValueError("Only a positive threshold is ever reached by decay.")
        if key is None:
            return None
        try:
            return self.landmark + self.half_life * (key - math.log2(threshold))
        except OverflowError:
            return LATEST if key > math.log2(threshold) else EARLIEST

    def key_at(self, threshold: float, at: datetime) -> float:
        """The key whose score at ``at`` is exactly ``threshold``: "hotter than T now" is ``key ≥ this``."""
        if threshold <= 0:
            raise ValueError("Only a positive threshold has a key.")
        return math.log2(threshold) + self.exponent(at)

    def needs_shift(self, now: datetime) -> bool:
        """Must the landmark move before it grows too far away?"""
        return self.exponent(now) >= SHIFT_AT

    def shifted(self, landmark: datetime) -> tuple[Decay, float, float]:
        """A new frame: (decay, factor for every mass, summand for every key)."""
        exponent = self.exponent(landmark)
        return Decay(landmark, self.half_life), _exp2(-exponent), -exponent


def landmark_for(now: datetime) -> datetime:
    """The landmark of a new definition: the start of the UTC day of ``now``."""
    return day_start(now)


def day_start(at: datetime) -> datetime:
    """Midnight UTC at or before ``at``."""
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def counted_more(already: int, more: int, daily_cap: int) -> int:
    """How many of ``more`` events still count for a person's UTC day that saw ``already`` of the signal."""
    return min(already + more, daily_cap) - min(already, daily_cap)


# --- passes over events -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One event of a signal: the slot of the signal and when it happened."""

    slot: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Contribution:
    """An occurrence that counts: known from ``at`` on, decaying from ``dated_at``."""

    slot: int
    at: datetime
    dated_at: datetime


def contributions(events: Iterable[Occurrence], caps: Sequence[int | None]) -> list[Contribution]:
    """Apply daily caps, in order of time. The first k of a UTC day count, dated at the day's start.

    Signals without a cap keep their own instant. The result does not depend on the order of ``events``.
    """
    seen: dict[tuple[int, datetime], int] = {}
    counted: list[Contribution] = []
    for event in sorted(events, key=lambda e: (e.at, e.slot)):
        cap = caps[event.slot]
        if cap is None:
            counted.append(Contribution(event.slot, event.at, event.at))
            continue
        day = day_start(event.at)
        number = seen.get((event.slot, day), 0)
        seen[event.slot, day] = number + 1
        if number < cap:
            counted.append(Contribution(event.slot, event.at, day))
    return counted


def masses(decay: Decay, events: Iterable[Occurrence], caps: Sequence[int | None]) -> list[float]:
    """Rebuild the masses, one per signal, from events: the reference the projection is checked against."""
    parts: list[list[float]] = [[] for _ in caps]
    for item in contributions(events, caps):
        parts[item.slot].append(decay.mass(item.dated_at))
    return [math.fsum(part) for part in parts]


@dataclass(frozen=True, slots=True)
class Crossing:
    """The score entered (reached ``enter``) or left (fell below ``leave``) at ``at``."""

    at: datetime
    entered: bool


def crossings(
    decay: Decay,
    events: Iterable[Occurrence],
    *,
    weights: Sequence[float],
    caps: Sequence[int | None],
    enter: float,
    leave: float,
) -> Iterator[Crossing]:
    """Replay a person's events and tell each instant of qualifying and of cooling off, in order.

    ``leave`` ≤ ``enter``, both positive; leave = enter·(1−hysteresis). The last crossing may lie in the
    future: interest cools by itself.
    """
    total, inside = 0.0, False
    for item in contributions(events, caps):
        key = math.log2(total) if total > 0 else None
        cooled = decay.cools_at(key, leave)
        if inside and (cooled is None or cooled < item.at):
            inside = False
            yield Crossing(item.at if cooled is None else cooled, entered=False)
        total += weights[item.slot] * decay.mass(item.dated_at)
        now = decay.score_of_key(math.log2(total) if total > 0 else None, item.at)
        if not inside and now >= enter:
            inside = True
            yield Crossing(item.at, entered=True)
        elif inside and now < leave:
            inside = False
            yield Crossing(item.at, entered=False)
    cooled = decay.cools_at(math.log2(total) if total > 0 else None, leave)
    if inside and cooled is not None:
        yield Crossing(cooled, entered=False)


def reheated_at(crossed: Iterable[Crossing], now: datetime) -> datetime | None:
    """The last time until ``now`` that interest came back after it had cooled; None if it never did."""
    entries = [crossing.at for crossing in crossed if crossing.entered and crossing.at <= now]
    return entries[-1] if len(entries) > 1 else None


# --- explanation --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Share:
    """What one signal contributes now; ``shown`` is rounded so that all shares sum to the shown score."""

    key: str
    points: float
    shown: float


def explain(
    decay: Decay,
    weights: Mapping[str, float],
    by_signal: Mapping[str, float],
    at: datetime,
    *,
    digits: int = 1,
) -> tuple[float, list[Share]]:
    """The shown score and its parts, largest first; the shown parts sum to it exactly in ``digits`` places.

    ``weights`` and ``by_signal`` are keyed by signal; signals without mass are left out.
    """
    exponent = decay.exponent(at)
    parts: dict[str, float] = {}
    for key, mass in by_signal.items():
        weighted = weights.get(key, 0.0) * mass
        if weighted:
            parts[key] = math.copysign(_exp2(math.log2(abs(weighted)) - exponent), weighted)
    unit = 10**digits
    goal = round(math.fsum(parts.values()) * unit)
    floors = {key: math.floor(points * unit) for key, points in parts.items()}
    order = sorted(parts, key=lambda key: (floors[key] - parts[key] * unit, key))
    missing = goal - sum(floors.values())
    for i in range(abs(missing)):
        key = order[i % len(order)] if missing > 0 else order[-1 - i % len(order)]
        floors[key] += 1 if missing > 0 else -1
    shares = [Share(key, points, floors[key] / unit) for key, points in parts.items()]
    return goal / unit, sorted(shares, key=lambda share: (-abs(share.points), share.key))


def _exp2(exponent: float) -> float:
    """2^exponent without an OverflowError: far ages are 0, far futures are infinite."""
    if exponent > 1023:
        return math.inf
    return math.exp2(exponent) if exponent > -1100 else 0.0
