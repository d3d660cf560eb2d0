"""Fair turns: the golden vectors, absence, caps, and why it was this person."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel.domain.rings import STRIDE, Facts, Member, choose, dry_run, pointer_on_return


def ring(*weights: int) -> list[Member]:
    return [Member("ABCDEFGH"[i], order=i, weight=weight) for i, weight in enumerate(weights)]


def absent(member: Member) -> Member:
    return Member(member.key, member.order, member.weight, member.pointer, Facts(absent=True))


def test_weights_two_one_one():
    assert dry_run(ring(2, 1, 1), 8) == list("ABCAABCA")


def back_after_four_leads(policy: str, **options: int) -> list[str]:
    a, b = ring(1, 1)
    given_away = dry_run([a, absent(b)], 4)
    a = Member("A", 0, 1, 4 * STRIDE)
    b = Member(
        "B", 1, 1, pointer_on_return(policy, pointer=0, weight=1, active_pointers=[a.pointer], **options)
    )
    return given_away + dry_run([a, b], 6)


def test_without_a_rule_the_returner_gets_a_burst():
    assert back_after_four_leads("accrue") == list("AAAABBBBAB")


def test_reset_shares_evenly_from_the_return_on():
    assert back_after_four_leads("reset") == list("AAAAABABAB")


def test_cap_owes_at_most_k():
    assert back_after_four_leads("cap", owed_at_most=2) == list("AAAABBABAB")


def test_ties_start_at_the_rotation():
    assert dry_run(ring(1, 1, 1), 4, rotation=1) == list("BCAB")


def test_the_company_owner_comes_first_and_spends_a_turn():
    members = ring(1, 1)
    choice = choose(members, preferred="B")
    assert (choice.member.key, choice.reason) == ("B", "company_owner")
    assert choice.member.next_pointer == STRIDE


def test_an_absent_company_owner_is_passed_over():
    a, b = ring(1, 1)
    assert choose([a, absent(b)], preferred="B").member.key == "A"


def test_nobody_eligible_holds_the_lead_and_says_why():
    choice = choose(
        [
            Member("A", 0, facts=Facts(active=False, absent=True)),
            Member("B", 1, facts=Facts(open_leads=5, open_cap=5, returned_this_lead=True)),
            Member("C", 2, facts=Facts(received_in_period=9, period_cap=9, in_hours=False)),
            Member("D", 3, facts=Facts(conflicted=True, missing_skills=("fr",))),
        ]
    )
    assert choice.member is None
    assert choice.reason == "nobody_eligible"
    assert [c.blocked for c in choice.candidates] == [
        ("inactive", "absent"),
        ("open_cap", "returned_before"),
        ("out_of_hours", "period_cap"),
        ("conflicted", "skills"),
    ]


def test_the_record_names_every_candidate():
    assert choose(ring(2, 1)).to_json() == {
        "reason": "tie_by_order",
        "candidates": [
            {"key": "A", "weight": 2, "pointer": 0, "blocked": [], "chosen": True},
            {"key": "B", "weight": 1, "pointer": 0, "blocked": [], "chosen": False},
        ],
    }


def test_an_empty_ring_holds_the_lead():
    assert choose([]).member is None


@pytest.mark.parametrize("weight", [0, -1, 21])
def test_weights_out_of_bounds_are_refused(weight):
    with pytest.raises(ValueError, match="weight"):
        Member("A", 0, weight=weight)


@given(st.integers(1, 8), st.integers(0, 60), st.integers(0, 7))
def test_equal_weights_differ_by_at_most_one(size, leads, rotation):
    order = dry_run(ring(*[1] * size), leads, rotation=rotation)
    counts = [order.count("ABCDEFGH"[i]) for i in range(size)]
    assert max(counts) - min(counts) <= 1


@given(st.lists(st.integers(1, 20), min_size=1, max_size=6))
def test_a_full_round_gives_each_exactly_the_weight(weights):
    order = dry_run(ring(*weights), sum(weights))
    assert [order.count("ABCDEFGH"[i]) for i in range(len(weights))] == weights
