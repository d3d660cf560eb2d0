"""After how many attempts to stop, from exact counts."""

from __future__ import annotations

import pytest

from sla.domain.stop_rule import Because, Proposal, Step, propose, value

# Shares 30 %, 20 %, 10 %, 5 %, 2.5 %: with a reached lead worth 100, an attempt for 6 pays three times.
FALLING = [Step(1, 200, 60), Step(2, 140, 28), Step(3, 100, 10), Step(4, 80, 4), Step(5, 40, 1)]


def test_an_attempt_is_worth_its_share_of_what_a_reached_lead_brings_without_its_cost():
    assert value(0.1, brings=100, cost=6) == pytest.approx(4)


@pytest.mark.parametrize(
    ("cost", "proposed"),
    [
        (6, Proposal(3, Because.TURNS_NEGATIVE)),
        (10, Proposal(3, Because.TURNS_NEGATIVE)),  # exactly nothing is no loss
        (10.5, Proposal(2, Because.TURNS_NEGATIVE)),
        (31, Proposal(0, Because.NEVER_PAYS)),
        (1, Proposal(5, Because.STILL_PAYS)),
    ],
)
def test_the_last_attempt_that_pays_is_proposed(cost, proposed):
    assert propose(FALLING, brings=100, cost=cost) == proposed


def test_too_few_cases_propose_nothing_and_end_what_can_be_said():
    assert propose([Step(1, 19, 10)], brings=100, cost=1) == Proposal(None, Because.TOO_FEW)
    assert propose([], brings=100, cost=1) == Proposal(None, Because.TOO_FEW)
    thin = [*FALLING[:2], Step(3, 5, 0)]
    assert propose(thin, brings=100, cost=6) == Proposal(2, Because.STILL_PAYS)
