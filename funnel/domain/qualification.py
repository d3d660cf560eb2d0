"""The instant at which a lead first met the definition, found by replaying its person's history.

Between two events interest only decays, so a cell that says "hand off" is first entered at the start
of the window, at an event or at a change of fit. The answer depends on what happened when, never on
the order in which it was learned.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from funnel.domain.definitions import Action, Definition
from funnel.domain.interest import Decay, Occurrence, contributions


@dataclass(frozen=True, slots=True)
class FitUntil:
    """The fit band that held until an instant; ``None``: it holds now."""

    band: str
    until: datetime | None


def first_hand_off(
    definition: Definition,
    decay: Decay,
    events: Sequence[Occurrence],
    fits: Sequence[FitUntil],
    *,
    start: datetime,
    now: datetime,
) -> datetime | None:
    """The first instant in ``[start, now]`` whose cell says "hand off", or ``None``.

    ``fits`` is in order of time and ends with the one that holds now.
    """
    parts = [part for part in contributions(events, definition.caps) if part.at <= now]
    changes = [f.until for f in fits if f.until is not None and start < f.until <= now]
    instants = sorted({start, *changes, *(part.at for part in parts)})
    total, band, following = 0.0, 3, 0
    for instant in instants:
        band = definition.interest_band(_score(decay, total, instant), band)
        while following < len(parts) and parts[following].at <= instant:
            part = parts[following]
            total += definition.signals[part.slot].points * decay.mass(part.dated_at)
            following += 1
        band = definition.interest_band(_score(decay, total, instant), band)
        if instant < start:
            continue
        if definition.decide(fit_at(fits, instant), band) is Action.HAND_OFF:
            return instant
    return None


def fit_at(fits: Sequence[FitUntil], instant: datetime) -> str:
    """The fit band that held at ``instant``; a change takes effect at its own instant."""
    return next(f.band for f in fits if f.until is None or instant < f.until)


def could_hand_off(
    definition: Definition, decay: Decay, masses: Sequence[float], fit_bands: set[str], *, since: datetime
) -> bool:
    """Whether any instant from ``since`` on can possibly have a cell that says "hand off".

    The positive masses, taken at ``since``, bound interest from there on; this spares most replays.
    """
    best = math.fsum(
        signal.points * mass for signal, mass in zip(definition.signals, masses, strict=True)
        if signal.points > 0
    )  # fmt: skip
    bound = _score(decay, best, since) * (1 + 1e-9)
    reachable = {3} | {
        name for name, threshold in definition.interest_bands.items()
        if bound >= threshold * (1 - definition.hysteresis)
    }  # fmt: skip
    return any(definition.decide(f, i) is Action.HAND_OFF for f in fit_bands for i in reachable)


def _score(decay: Decay, total: float, at: datetime) -> float:
    return decay.score_of_key(math.log2(total), at) if total > 0 else 0.0
