"""Is it fair? Jain's index of what everybody got, and whether the mix of bands differs by more than chance.

Standard library only: the tail of χ² is the upper incomplete gamma function, by its series for small
arguments and its continued fraction for large ones, exact to about 1e-12.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, isclose, lgamma, log

_STEPS = 1000
_TINY = 1e-300
_ENOUGH = 1e-15
# Cochran's rule: below these expected counts the tail of χ² is only rough.
_LEAST, _LEAST_OF_MOST, _MOST = 1.0, 5.0, 0.8


@dataclass(frozen=True, slots=True)
class ChiSquare:
    """A test of homogeneity: the statistic, its degrees of freedom, the chance of one at least as large.

    ``is_rough`` says that the expected counts are too small to trust ``p`` to more than a digit.
    """

    statistic: float
    degrees: int
    p: float
    is_rough: bool


def jain(shares: Sequence[float]) -> float | None:
    """Jain's index (Σx)² / (n·Σx²): 1 when all got alike, 1/n when one got everything.

    ``shares`` are what each got by what was due to each. None where nobody got anything.
    """
    squares = sum(x * x for x in shares)
    return sum(shares) ** 2 / (len(shares) * squares) if squares else None


def homogeneous(rows: Sequence[Mapping[str, int]]) -> ChiSquare | None:
    """Do all rows have the same mix of columns? None unless two rows and two columns hold anything."""
    filled = [row for row in rows if sum(row.values())]
    columns = sorted({column for row in filled for column, count in row.items() if count})
    if len(filled) < 2 or len(columns) < 2:
        return None
    totals = {column: sum(row.get(column, 0) for row in filled) for column in columns}
    whole = sum(totals.values())
    expected = [
        (row.get(column, 0), sum(row.values()) * totals[column] / whole)
        for row in filled
        for column in columns
    ]
    statistic = sum((seen - due) ** 2 / due for seen, due in expected)
    degrees = (len(filled) - 1) * (len(columns) - 1)
    ample = sum(due >= _LEAST_OF_MOST for _seen, due in expected) / len(expected)
    is_rough = ample < _MOST or any(due < _LEAST for _seen, due in expected)
    return ChiSquare(statistic, degrees, tail(statistic, degrees), is_rough)


def against_the_rest(own: Mapping[str, int], everybody: Mapping[str, int]) -> ChiSquare | None:
    """Does one row's mix differ from that of all others together?"""
    rest = {column: count - own.get(column, 0) for column, count in everybody.items()}
    return homogeneous([own, rest])


def tail(statistic: float, degrees: int) -> float:
    """The chance that χ² with so many degrees of freedom is at least ``statistic``."""
    if degrees < 1 or statistic < 0:
        raise ValueError("χ² needs a degree of freedom and is not negative")
    a, x = degrees / 2, statistic / 2
    if x == 0:
        return 1.0
    scale = exp(a * log(x) - x - lgamma(a))
    if x < a + 1:
        return max(0.0, 1.0 - scale * _series(a, x))
    return min(1.0, scale * _fraction(a, x))


def _series(a: float, x: float) -> float:
    """γ(a, x) · eˣ / xᵃ by its power series, which converges fast below a + 1."""
    term = total = 1 / a
    for n in range(1, _STEPS):
        term *= x / (a + n)
        total += term
        if term < total * _ENOUGH:
            break
    return total


def _fraction(a: float, x: float) -> float:
    """Γ(a, x) · eˣ / xᵃ by its continued fraction (modified Lentz), which converges fast above a + 1."""
    b = x + 1 - a
    c, d = 1 / _TINY, 1 / b
    total = d
    for n in range(1, _STEPS):
        factor = -n * (n - a)
        b += 2
        d = factor * d + b
        d = 1 / (d if abs(d) > _TINY else _TINY)
        c = b + factor / c
        c = c if abs(c) > _TINY else _TINY
        total *= d * c
        if isclose(d * c, 1.0, rel_tol=_ENOUGH):
            break
    return total
