"""Jain's index and χ² by hand, and the tail of χ² against scipy's."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from funnel.domain.fairness import against_the_rest, homogeneous, jain, tail


def test_jain_is_one_when_all_got_alike_and_one_nth_when_one_got_all():
    assert jain([3, 3, 3]) == pytest.approx(1)
    assert jain([5, 0, 0, 0]) == pytest.approx(0.25)
    assert jain([1, 2]) == pytest.approx(0.9)
    assert jain([0, 0]) is None
    assert jain([]) is None


def test_a_mix_that_differs_is_told_from_one_that_does_not():
    alike = homogeneous([{"A1": 20, "B1": 40}, {"A1": 10, "B1": 20}])
    assert (alike.statistic, alike.degrees, alike.p, alike.is_rough) == (0, 1, 1, False)
    apart = homogeneous([{"A1": 30, "B1": 10}, {"A1": 10, "B1": 30}])
    assert apart.statistic == pytest.approx(20)
    assert apart.p == pytest.approx(7.744216431e-06, rel=1e-9)
    same = against_the_rest({"A1": 30, "B1": 10}, {"A1": 40, "B1": 40})
    assert (same.statistic, same.p) == (apart.statistic, apart.p)


def test_small_samples_are_called_rough_and_nothing_to_compare_is_none():
    assert homogeneous([{"A1": 2, "B1": 1}, {"A1": 1, "B1": 2}]).is_rough
    assert homogeneous([{"A1": 9}, {"A1": 4}]) is None
    assert homogeneous([{"A1": 9, "B1": 1}, {}]) is None
    assert homogeneous([]) is None


@settings(max_examples=200)
@given(st.floats(0, 2000), st.integers(1, 300))
def test_the_tail_is_that_of_scipy(statistic, degrees):
    assert tail(statistic, degrees) == pytest.approx(stats.chi2.sf(statistic, degrees), rel=1e-8, abs=1e-12)


@settings(max_examples=50)
@given(st.lists(st.lists(st.integers(0, 60), min_size=4, max_size=4), min_size=2, max_size=6))
def test_the_test_is_that_of_scipy(rows):
    table = [row for row in rows if sum(row)]
    columns = [i for i in range(4) if any(row[i] for row in table)]
    ours = homogeneous([{str(i): row[i] for i in range(4)} for row in rows])
    if len(table) < 2 or len(columns) < 2:
        assert ours is None
        return
    theirs = stats.chi2_contingency([[row[i] for i in columns] for row in table], correction=False)
    assert ours.degrees == theirs.dof
    assert ours.statistic == pytest.approx(theirs.statistic, rel=1e-9, abs=1e-9)
    assert ours.p == pytest.approx(theirs.pvalue, rel=1e-7, abs=1e-12)


@pytest.mark.parametrize(("statistic", "degrees"), [(-1, 1), (1, 0)])
def test_what_is_no_statistic_is_refused(statistic, degrees):
    with pytest.raises(ValueError, match="χ²"):
        tail(statistic, degrees)
