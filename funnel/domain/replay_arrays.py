"""The rule of ``qualification.first_hand_off`` for thousands of leads at once, with other thresholds beside.

Everything is an array: events are sorted by lead and instant, and the n-th instants of all leads are looked
at together. Sums are added in another order than one lead's would be, so the last digit can differ: a lead
whose score comes that near to a threshold is called doubtful, and the caller asks the slow rule about it. All
others get the very instant that the slow rule would give.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from funnel.domain.definitions import Action, Definition
from funnel.domain.interest import Decay
from funnel.domain.qualification import FitUntil

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
NONE = np.iinfo(np.int64).min
MOST_INSTANTS = 2000  # of one lead; who has more is looked at alone
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAY = 86_400 * 10**6
_NEAR = 1e-9  # relative; far more than sums of thousands of numbers differ by
_FIT = {"A": 0, "B": 1, "C": 2}


def micros(at: datetime) -> int:
    """Microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


def instant_of(count: int) -> datetime:
    """The instant so many microseconds after 1970."""
    return _EPOCH + timedelta(microseconds=count)


@dataclass(frozen=True, slots=True)
class Occurrences:
    """Events that count for a signal: whose, of which slot, and when."""

    person: Ints
    slot: Ints
    at: Ints


@dataclass(frozen=True, slots=True)
class Parts:
    """What events add to the sums of their persons: known from ``at`` on, sorted by person and instant."""

    person: Ints
    at: Ints
    points: Floats


@dataclass(frozen=True, slots=True)
class Leads:
    """Leads to look at: whose they are, when they were captured, and their fit over time."""

    person: Ints
    captured: Ints
    fits: Sequence[Sequence[FitUntil]]


def parts_of(definition: Definition, decay: Decay, events: Occurrences, *, before: datetime) -> Parts:
    """The counted parts of events up to ``before``, as ``interest.contributions`` counts them."""
    keep = events.at <= micros(before)
    person, slot, at = events.person[keep], events.slot[keep], events.at[keep]
    order = np.lexsort((at, slot, person))
    person, slot, at = person[order], slot[order], at[order]
    caps = np.array([-1 if cap is None else cap for cap in definition.caps] or [-1], dtype=np.int64)[slot]
    day = at // _DAY
    counted = (caps < 0) | (_place_in_group(person, slot, day) < caps)
    dated = np.where(caps < 0, at, day * _DAY)[counted]
    person, slot, at = person[counted], slot[counted], at[counted]
    exponent = (dated - micros(decay.landmark)) / (decay.half_life / _MICROSECOND)
    mass = np.where(exponent > -1100, np.exp2(exponent), 0.0)
    points = np.array(definition.weights or [0.0], dtype=np.float64)[slot] * mass
    order = np.lexsort((at, person))
    return Parts(person[order], at[order], points[order])


def _place_in_group(*keys: Ints) -> Ints:
    """Of rows sorted so that equal keys stand together: how many equal ones stand before each."""
    if not len(keys[0]):
        return np.zeros(0, dtype=np.int64)
    starts = np.ones(len(keys[0]), dtype=bool)
    starts[1:] = np.logical_or.reduce([key[1:] != key[:-1] for key in keys])
    first = np.flatnonzero(starts)
    place: Ints = np.arange(len(starts)) - np.repeat(first, np.diff(np.append(first, len(starts))))
    return place


def may_hand_off(
    definition: Definition, decay: Decay, parts: Parts, *, person: Ints, captured: Ints, lowest: float
) -> Flags:
    """Which leads could be handed off with any fit, at thresholds down to ``lowest`` times the definition's.

    As ``qualification.could_hand_off``: positive parts, taken at the capture, bound interest from there on.
    """
    if _handing_off(definition)[:, 3].any():
        return np.ones(len(person), dtype=bool)
    size = int(person.max(initial=-1)) + 1
    positive = np.maximum(parts.points, 0.0)
    best = np.bincount(parts.person, positive, minlength=size)[person].astype(np.float64)
    threshold = lowest * min(definition.interest_bands.values()) * (1 - definition.hysteresis)
    found: Flags = _scores(decay, best, captured) >= threshold * (1 - 1e-6)
    return found


def first_hand_offs(
    definition: Definition,
    decay: Decay,
    parts: Parts,
    leads: Leads,
    *,
    scales: Sequence[float],
    before: datetime,
) -> tuple[Ints, Flags]:
    """Per lead and scale the first instant before ``before`` whose cell says "hand off" (``NONE`` where there
    is none), and which leads are doubtful.
    """
    lead, at, points = _instants(parts, leads, before=before)
    starts = np.flatnonzero(np.concatenate(([True], lead[1:] != lead[:-1]))) if len(lead) else lead
    counts = np.diff(np.append(starts, len(lead)))
    doubtful = counts > MOST_INSTANTS
    steps = np.where(doubtful, 0, counts)
    order = np.argsort(-steps, kind="stable")
    shortest_last = -steps[order]
    walk = _Walk(definition, decay, np.array(scales), len(leads.person))
    fit = _fits(leads, lead, at)
    for step in range(int(steps.max(initial=0))):
        now = order[: int(np.searchsorted(shortest_last, -step, side="left"))]
        row = starts[now] + step
        walk.step(now, at[row], points[row], fit[row], leads.captured[now])
    walk.found[walk.found >= micros(before)] = NONE
    return walk.found, doubtful | walk.doubtful


def _instants(parts: Parts, leads: Leads, *, before: datetime) -> tuple[Ints, Ints, Floats]:
    """Every instant at which a lead's cell can change, sorted by lead and time, with what is added then."""
    order = np.argsort(leads.person, kind="stable")
    low = np.searchsorted(parts.person, leads.person, side="left")
    high = np.searchsorted(parts.person, leads.person, side="right")
    counts = high - low
    lead = np.repeat(np.arange(len(leads.person)), counts)
    row = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(low, counts)
    last = micros(before)
    changes = [
        (number, micros(fit.until))
        for number, fits in enumerate(leads.fits)
        for fit in fits
        if fit.until is not None and leads.captured[number] < micros(fit.until) <= last
    ]
    more = np.array(changes, dtype=np.int64).reshape(-1, 2)
    lead = np.concatenate((lead, order, more[:, 0]))
    at = np.concatenate((parts.at[row], leads.captured[order], more[:, 1]))
    points = np.concatenate((parts.points[row], np.zeros(len(order) + len(more))))
    order = np.lexsort((at, lead))
    lead, at, points = lead[order], at[order], points[order]
    if not len(lead):
        return lead, at, points
    first = np.flatnonzero(np.concatenate(([True], (lead[1:] != lead[:-1]) | (at[1:] != at[:-1]))))
    return lead[first], at[first], np.add.reduceat(points, first)


def _fits(leads: Leads, lead: Ints, at: Ints) -> Ints:
    """The fit at each instant, as a number; a change takes effect at its own instant."""
    band: Ints = np.array([_FIT[fits[-1].band] for fits in leads.fits], dtype=np.int64)[lead]
    for number, fits in enumerate(leads.fits):
        if len(fits) > 1:
            rows = slice(*np.searchsorted(lead, (number, number + 1)))
            ends = [micros(fit.until) for fit in fits[:-1] if fit.until is not None]
            codes = np.array([_FIT[fit.band] for fit in fits], dtype=np.int64)
            band[rows] = codes[np.searchsorted(np.array(ends, dtype=np.int64), at[rows], side="right")]
    return band


def _handing_off(definition: Definition) -> Flags:
    """By fit (A, B, C) and interest (1, 2, 3; column 0 is none): whether the cell says "hand off"."""
    table = np.zeros((3, 4), dtype=bool)
    for fit, code in _FIT.items():
        for band in (1, 2, 3):
            table[code, band] = definition.decide(fit, band) is Action.HAND_OFF
    return table


def _scores(decay: Decay, total: Floats, at: Ints) -> Floats:
    """S(at) of each sum; 0 without positive interest."""
    exponent = (at - micros(decay.landmark)) / (decay.half_life / _MICROSECOND)
    positive = total > 0
    score: Floats = np.exp2(np.log2(np.where(positive, total, 1.0)) - exponent)
    return np.where(positive, score, 0.0)


class _Walk:
    """Where each lead stands on its way through time, at every scale of the thresholds."""

    def __init__(self, definition: Definition, decay: Decay, scales: Floats, size: int) -> None:
        self.decay, self.table = decay, _handing_off(definition)
        self.enter = [definition.interest_bands[name] * scales for name in (1, 2)]
        self.keep = 1 - definition.hysteresis
        self.total = np.zeros(size)
        self.band = np.full((size, len(scales)), 3, dtype=np.int8)
        self.found = np.full((size, len(scales)), NONE, dtype=np.int64)
        self.doubtful = np.zeros(size, dtype=bool)

    def step(self, lead: Ints, at: Ints, points: Floats, fit: Ints, captured: Ints) -> None:
        """Let these leads come to their next instant."""
        total = self.total[lead]
        band = self._bands(lead, _scores(self.decay, total, at), self.band[lead])
        self.total[lead] = total = total + points
        band = self._bands(lead, _scores(self.decay, total, at), band)
        self.band[lead] = band
        is_hit = self.table[fit[:, None], band] & (at >= captured)[:, None] & (self.found[lead] == NONE)
        self.found[lead] = np.where(is_hit, at[:, None], self.found[lead])

    def _bands(self, lead: Ints, score: Floats, held: NDArray[np.int8]) -> NDArray[np.int8]:
        """As ``Definition.interest_band``."""
        shown = score[:, None]
        reached = []
        for name, enter in zip((1, 2), self.enter, strict=True):
            threshold = np.where(held <= name, enter * self.keep, enter)
            reached.append(shown >= threshold)
            near = np.abs(shown - threshold) <= _NEAR * np.maximum(np.abs(threshold), np.abs(shown))
            self.doubtful[lead] |= near.any(axis=1)
        band: NDArray[np.int8] = np.where(reached[0], 1, np.where(reached[1], 2, 3)).astype(np.int8)
        return band
