"""Fair turns: the golden vectors, absence, caps, and why it was this person."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel.domain.rings import STRIDE, Facts, Member, caught_up, choose, dry_run, pointer_on_return


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
            Member("C", 2, facts=Facts(out_of_capacity=True, at_ceiling=True, in_hours=False)),
            Member("D", 3, facts=Facts(conflicted=True, missing_skills=("fr",))),
        ]
    )
    assert choice.member is None
    assert choice.reason == "nobody_eligible"
    assert [c.blocked for c in choice.candidates] == [
        ("inactive", "absent"),
        ("open_cap", "returned_before"),
        ("out_of_hours", "capacity", "ceiling"),
        ("conflicted", "skills"),
    ]


def test_order_favours_nobody_over_ten_thousand_leads_in_nine_bands():
    rings_of = {start: ring(*[1] * 7) for start in range(9)}
    counts = dict.fromkeys("ABCDEFG", 0)
    for number in range(10_000):
        members = rings_of[number % 9]
        chosen = choose(members, rotation=number % 9).member
        members[chosen.order] = Member(chosen.key, chosen.order, 1, chosen.next_pointer)
        counts[chosen.key] += 1
    assert max(counts.values()) - min(counts.values()) <= 2


def test_a_policy_is_about_absences_and_whoever_is_full_is_owed_nothing():
    a, b, c = (Member(k, i, 1, 4 * STRIDE) for i, k in enumerate("ABC"))
    away, full = Member("B", 1, 1, 0, Facts(absent=True)), Member("C", 2, 1, 0, Facts(out_of_capacity=True))
    assert caught_up([a, away, full], "accrue") == {"C": 4 * STRIDE}
    assert caught_up([a, away, full], "cap", owed_at_most=1) == {"B": 3 * STRIDE, "C": 4 * STRIDE}
    assert caught_up([a, away, full], "reset") == {"B": 4 * STRIDE, "C": 4 * STRIDE}
    assert caught_up([a, b, c], "reset") == {}


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
