"""Statistics of small numbers, against exact values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel.domain.statistics import median, percentile, wilson


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        (0, 10, 0.0, 0.277533),
        (10, 10, 0.722467, 1.0),
        (5, 10, 0.236593, 0.763407),
        (41, 500, 0.061019, 0.109355),
    ],
)
def test_wilson(k, n, low, high):
    assert wilson(k, n) == pytest.approx((low, high), abs=1e-6)


@pytest.mark.parametrize(("k", "n"), [(0, 0), (-1, 5), (6, 5)])
def test_a_share_that_is_none_is_refused(k, n):
    with pytest.raises(ValueError, match="no share"):
        wilson(k, n)


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_share(pair):
    k, n = pair
    low, high = wilson(k, n)
    assert 0 <= low <= k / n + 1e-12
    assert k / n - 1e-12 <= high <= 1


def test_quantiles_are_continuous():
    assert median([3, 1, 2]) == 2
    assert median([1, 2, 3, 4]) == 2.5
    assert percentile([10, 20, 30, 40, 50], 0.9) == 46
    assert percentile([7], 0.9) == 7
    assert median([]) is None


def test_there_is_no_quantile_beyond_one():
    with pytest.raises(ValueError, match="quantile"):
        percentile([1], 1.1)
