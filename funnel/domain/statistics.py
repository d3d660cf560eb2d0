"""Statistics of small numbers."""

from __future__ import annotations

from collections.abc import Iterable
from math import floor, sqrt

Z_95 = 1.959963984540054


def wilson(k: int, n: int, *, z: float = Z_95) -> tuple[float, float]:
    """Wilson's score interval of the share k/n, as fractions in [0, 1].

    Formula (``semantics`` 4.8): (p + z²/2n ± z·sqrt(p(1−p)/n + z²/4n²)) / (1 + z²/n).
    Raises ``ValueError`` where n is not positive or k is outside 0…n.
    """
    if n <= 0 or not 0 <= k <= n:
        raise ValueError(f"no share of {k} in {n}")
    p = k / n
    centre = p + z * z / (2 * n)
    spread = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def percentile(values: Iterable[float], p: float) -> float | None:
    """The continuous p-quantile (0 ≤ p ≤ 1) like PostgreSQL's ``percentile_cont``; None without values.

    Linear between the two nearest ranks: with n sorted values the position is p·(n−1).
    """
    if not 0 <= p <= 1:
        raise ValueError(f"no quantile at {p}")
    ordered = sorted(values)
    if not ordered:
        return None
    position = p * (len(ordered) - 1)
    below = floor(position)
    rest = position - below
    if not rest:
        return ordered[below]
    return ordered[below] + rest * (ordered[below + 1] - ordered[below])


def median(values: Iterable[float]) -> float | None:
    """The continuous median; None without values."""
    return percentile(values, 0.5)
