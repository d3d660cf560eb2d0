"""Who rules on an appeal, and when a reason is unclear."""

from __future__ import annotations

import pytest

from funnel.domain.appeals import Judge, arbiter, entropy, is_unclear


def test_who_has_the_fewest_cases_rules_and_never_on_their_own_word():
    judges = [Judge(1, 3), Judge(2, 1), Judge(3, 1)]
    assert arbiter(judges, parties=()) == 2
    assert arbiter(judges, parties=(2, None)) == 3
    assert arbiter(judges, parties=(1, 2, 3)) is None


@pytest.mark.parametrize(
    ("overturned", "ruled", "unclear"),
    [(11, 20, True), (10, 20, False), (19, 19, False), (0, 0, False), (51, 100, True)],
)
def test_a_reason_is_unclear_when_more_than_half_of_twenty_rulings_were_overturned(
    overturned, ruled, unclear
):
    assert is_unclear(overturned=overturned, ruled=ruled) is unclear


def test_the_entropy_of_reasons_is_in_bits():
    assert entropy([]) == entropy([7, 0]) == 0
    assert entropy([5, 5, 5, 5]) == 2
    assert entropy([1, 3]) == pytest.approx(0.811278, abs=1e-6)
