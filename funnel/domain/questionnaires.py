"""The blind questionnaire (N3): how far the two teams are apart, item by item and lead by lead.

Ratings are 1 (qualifies), 0 (neutral), -1 (disqualifies); labels of leads are True (qualified) or False.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# How does your team define a qualified lead, what rules discard one, which traits speak for one, what do
# the stages mean (R59 to R62).
QUESTIONS = ("definition", "discard", "traits", "stages")
RATINGS = (1, 0, -1)
SCALE = 2  # the greatest difference of two means
AGREED = 0.25  # a gap up to which both sides are held to say the same
CLEAR = 0.5  # from where on a mean speaks for or against


@dataclass(frozen=True, slots=True)
class Gap:
    """One item: how often each side said 1, 0, -1, both means, and |difference of means| ÷ scale (0 to 1)."""

    key: str
    marketing: tuple[int, int, int]
    sales: tuple[int, int, int]
    gap: float
    verdict: int | None  # what both say (1, 0, -1), or None where they differ


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far labels agree: the share of equal pairs, κ (None where undefined), and the number of pairs."""

    share: float | None
    kappa: float | None
    n: int


def divergence(
    marketing: Sequence[Mapping[str, int]], sales: Sequence[Mapping[str, int]], keys: Sequence[str]
) -> list[Gap]:
    """The map of items by gap, widest first; an item that a side has not rated is left out."""
    found = []
    for key in keys:
        ours = [r[key] for r in marketing if key in r]
        theirs = [r[key] for r in sales if key in r]
        if ours and theirs:
            found.append(_gap(key, ours, theirs))
    return sorted(found, key=lambda item: (-item.gap, keys.index(item.key)))


def kappa(pairs: Sequence[tuple[bool, bool]]) -> Agreement:
    """Cohen's κ of two sides that labelled the same leads: κ = (p_o − p_e) / (1 − p_e).

    With n pairs, p_o is the share of equal pairs and p_e = m·s + (1 − m)·(1 − s), m and s being the shares of
    True by marketing and by sales. κ is 1 for full agreement, 0 for as much as by chance, below 0 for less.
    Where p_e is 1 (both always said the same one thing) κ is undefined and only the share is told.
    """
    n = len(pairs)
    if not n:
        return Agreement(None, None, 0)
    equal = sum(a == b for a, b in pairs)
    yes_a, yes_b = sum(a for a, _b in pairs), sum(b for _a, b in pairs)
    chance = yes_a * yes_b + (n - yes_a) * (n - yes_b)  # p_e · n²
    if chance == n * n:
        return Agreement(equal / n, None, n)
    return Agreement(equal / n, (equal * n - chance) / (n * n - chance), n)


def majority(labels: Sequence[bool]) -> bool | None:
    """What most of a side said of a lead; None where it is split, or nobody said anything."""
    yes = sum(labels)
    no = len(labels) - yes
    return None if yes == no else yes > no


def _gap(key: str, ours: Sequence[int], theirs: Sequence[int]) -> Gap:
    means = [sum(side) / len(side) for side in (ours, theirs)]
    gap = abs(means[0] - means[1]) / SCALE
    said = {_verdict(mean) for mean in means}
    verdict = said.pop() if gap <= AGREED and len(said) == 1 else None
    return Gap(key, _counts(ours), _counts(theirs), gap, verdict)


def _verdict(mean: float) -> int:
    return 0 if abs(mean) < CLEAR else 1 if mean > 0 else -1


def _counts(ratings: Sequence[int]) -> tuple[int, int, int]:
    return (ratings.count(1), ratings.count(0), ratings.count(-1))
