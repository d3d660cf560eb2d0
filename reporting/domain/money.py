"""Sharing an amount so that the parts add up to it to the last cent."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction


def allocate(total: int, shares: Sequence[Fraction | int]) -> list[int]:
    """Split ``total`` minor units in proportion to ``shares`` by largest remainder.

    Every part is rounded down (towards minus infinity), and the units left over go one each to the largest
    remainders, ties in the order given: 10000 over three equal shares is 3334, 3333, 3333. Raises
    ValueError for negative shares or shares that sum to nothing.
    """
    weights = [Fraction(share) for share in shares]
    whole = sum(weights, Fraction(0))
    if whole <= 0 or any(weight < 0 for weight in weights):
        raise ValueError("shares must not be negative and must not sum to nothing")
    exact = [total * weight / whole for weight in weights]
    parts = [part.__floor__() for part in exact]
    by_remainder = sorted(range(len(parts)), key=lambda i: (parts[i] - exact[i], i))
    for i in by_remainder[: total - sum(parts)]:
        parts[i] += 1
    return parts
