"""Amounts are shared to the last cent."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.domain.money import allocate


def test_a_hundred_over_three():
    assert allocate(10_000, [1, 1, 1]) == [3334, 3333, 3333]
    assert allocate(10_000, [Fraction(34), Fraction(33), Fraction(33)]) == [3400, 3300, 3300]


def test_corrections_are_shared_too():
    assert allocate(-100, [1, 1, 1]) == [-33, -33, -34]


def test_a_share_of_nothing_gets_nothing():
    assert allocate(5, [0, 1]) == [0, 5]


@pytest.mark.parametrize("shares", [[], [0, 0], [1, -1], [2, -1]])
def test_shares_that_make_no_sense_are_refused(shares):
    with pytest.raises(ValueError, match="shares"):
        allocate(100, shares)


@given(
    st.integers(-(10**15), 10**15),
    st.lists(st.fractions(0, 1), min_size=1, max_size=30).filter(any),
)
def test_the_parts_always_add_up(total, shares):
    parts = allocate(total, shares)
    assert sum(parts) == total
    whole = sum(shares)
    assert all(abs(part - total * share / whole) < 1 for part, share in zip(parts, shares, strict=True))
