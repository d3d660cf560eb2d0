"""Bins, the guards that hold columns out, and the area under the curve."""

from __future__ import annotations

import numpy as np
import pytest

from funnel.domain.traits import Binning, Guard, Trait, auc, bins_of, judge, trait_of

WON = np.array([1.0, 0.0] * 100)


def judged(name: str, values: list, won=WON, **said: bool):
    trait = trait_of(f"lead.{name}", name, values)
    return judge(trait, values, won, **{"is_marked": False, "is_allowed": False, **said})


def test_a_number_falls_between_its_cuts_and_a_blank_is_a_bin_of_its_own() -> None:
    trait = trait_of("lead.visits", "Visits", [1.0, 2.0, 3.0, None])
    assert trait.is_number
    binning = Binning(trait, edges=(2.0, 5.0))
    assert binning.codes([None, 1.0, 2.0, 4.9, 5.0, 99.0]).tolist() == [0, 1, 2, 2, 3, 3]
    assert [binning.name(code) for code in range(4)] == ["(blank)", "< 2", "2 to 5", "≥ 5"]


def test_rare_levels_of_a_category_share_a_bin() -> None:
    values: list = ["mail"] * 60 + ["fair"] * 30 + ["pigeon"] * 3 + [None] * 7
    binning = bins_of(Trait("lead.origin", "Origin", is_number=False), values)
    assert binning.levels == ("fair", "mail")
    assert binning.codes(["mail", "fair", "pigeon", "", "never seen"]).tolist() == [2, 1, 3, 0, 3]
    assert binning.name(3) == "(other)"


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([4, 3, 2, 1], 1.0),
        ([1, 2, 3, 4], 0.0),
        ([1, 1, 1, 1], 0.5),
        ([3, 2, 3, 1], 0.625),
        ([2, 2, 1, 3], 0.5),
    ],
)
def test_the_area_counts_pairs_and_ties_as_half(scores: list[int], expected: float) -> None:
    assert auc(np.array([1.0, 1.0, 0.0, 0.0]), np.array(scores, dtype=float)) == expected


def test_without_both_outcomes_nothing_is_told_apart() -> None:
    assert auc(np.ones(4), np.arange(4.0)) == 0.5


@pytest.mark.parametrize(
    "name",
    ["last_activity", "Last Notable Activity", "tags", "lead_quality", "lead_profile", "duration",
     "asymmetrique_activity_score", "asymmetrique_profile_index", "converted_at", "disposition"],
)  # fmt: skip
def test_a_name_that_speaks_of_later_is_held_out(name: str) -> None:
    values = ["a", "b", "c", "d"] * 50
    assert judged(name, values).guard is Guard.NAME
    assert judged(name, values, is_allowed=True).guard is Guard.NONE


@pytest.mark.parametrize(
    "name",
    ["total_time_spent_on_website", "page_views_per_visit", "specialization", "origin", "month", "campaign",
     "employees", "what_is_your_current_occupation", "stage_of_life"],
)  # fmt: skip
def test_a_name_of_what_is_known_at_capture_is_not(name: str) -> None:
    assert judged(name, (["a", "b", "c"] * 67)[:200]).guard is Guard.NONE


def test_a_column_that_alone_knows_the_outcome_is_held_out_unless_people_rule_otherwise() -> None:
    knows: list = ["bought" if won else "left" for won in WON]
    assert judged("mood", knows).guard is Guard.TOO_GOOD
    assert judged("mood", knows, is_allowed=True).is_used
    assert judged("mood", knows, is_allowed=True, is_marked=True).guard is Guard.MARKED


def test_ids_and_constants_teach_nothing() -> None:
    assert judged("code", [f"x{n}" for n in range(200)]).guard is Guard.NAMES_LEADS
    assert judged("number_of_lead", [float(n) for n in range(200)]).guard is Guard.NAMES_LEADS
    assert judged("newsletter", ["no"] * 200).guard is Guard.CONSTANT
    assert judged("nothing", [None] * 200).guard is Guard.CONSTANT
    assert judged("filled_or_not", ["yes", None] * 100, won=np.array([1.0, 1.0, 0.0, 0.0] * 50)).is_used
