"""The arithmetic of a period."""

from __future__ import annotations

import pytest

from sla.domain.commitments import rate, volume


def test_an_amount_is_judged_by_what_is_due_so_far():
    told = volume(
        target=100, gross={1: 70, 2: 30}, net={1: 60, 2: 30}, takers=2, ceiling=None, share_passed=0.5
    )
    assert (told.promised, told.due, told.gross, told.net, told.done) == (200, 100, 100, 90, 90)
    assert (told.pace, told.forecast, told.attainment, told.is_kept) == (-10, 180, 0.9, False)


def test_what_lies_above_the_ceiling_does_not_stand_for_another_rep():
    told = volume(
        target=100, gross={1: 190, 2: 10}, net={1: 190, 2: 10}, takers=2, ceiling=120, share_passed=1
    )
    assert (told.net, told.done, told.attainment, told.is_kept) == (200, 130, 0.65, False)


def test_before_anything_is_due_nothing_is_judged():
    told = volume(target=100, gross={}, net={}, takers=2, ceiling=None, share_passed=0)
    assert (told.due, told.forecast, told.attainment, told.is_kept) == (0, None, None, None)


def test_without_anybody_to_deliver_to_nothing_is_due():
    told = volume(target=100, gross={}, net={}, takers=0, ceiling=None, share_passed=1)
    assert (told.promised, told.attainment, told.is_kept) == (0, None, None)


@pytest.mark.parametrize(("reached", "kept", "pace"), [(8, True, 0.0), (7, False, -0.1), (9, True, 0.1)])
def test_a_share_is_judged_by_the_cases_that_are_due(reached, kept, pace):
    told = rate(target=0.8, reached=reached, judged=10, pending=5)
    assert (told.value, told.is_kept, told.gross) == (reached / 10, kept, 15)
    assert told.pace == pytest.approx(pace)
    assert told.attainment == pytest.approx(reached / 8)
    assert told.forecast == told.value


def test_a_share_of_nothing_is_none():
    told = rate(target=0.8, reached=0, judged=0)
    assert (told.value, told.pace, told.attainment, told.is_kept) == (None, None, None, None)
