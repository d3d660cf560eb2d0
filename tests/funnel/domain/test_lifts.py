"""Traits of customers against the others: what is beyond chance, as criteria of the definition."""

from __future__ import annotations

import numpy as np
import pytest

from funnel.domain import lifts
from funnel.domain.definitions import default_document
from funnel.domain.drafts import parse
from funnel.domain.traits import Binning, Trait

COUNTRY = Binning(Trait("person.country", "Country", is_number=False), levels=("DE", "FR"))
BUDGET = Binning(Trait("lead.budget", "Budget", is_number=True), edges=(10.0, 50.0))


def test_a_trait_beyond_chance_is_told_with_its_counts_and_points() -> None:
    countries = ["DE"] * 100 + ["FR"] * 100
    won = np.array([1.0] * 40 + [0.0] * 60 + [1.0] * 10 + [0.0] * 90)
    first, second = lifts.of([COUNTRY], {"person.country": countries}, won)
    assert (first.what, first.won, first.n, first.others_won, first.others, first.points) == (
        "DE", 40, 100, 10, 100, 20,
    )  # fmt: skip
    assert (second.what, second.points) == ("FR", -20)
    assert first.as_json()["interval_95"] == [30.9, 49.8]
    assert first.condition == {"path": "person.country", "operator": "equals", "value": "DE"}


def test_what_may_be_chance_and_what_is_too_few_is_not_told() -> None:
    even = np.array([1.0, 0.0] * 100)
    assert lifts.of([COUNTRY], {"person.country": ["DE"] * 100 + ["FR"] * 100}, even) == []
    few = np.array([1.0] * 20 + [0.0] * 180)
    assert lifts.of([COUNTRY], {"person.country": ["DE"] * 20 + ["FR"] * 180}, few) == []


@pytest.mark.parametrize(
    ("binning", "code", "condition"),
    [
        (BUDGET, 0, {"path": "attributes.budget", "operator": "unknown"}),
        (BUDGET, 1, {"path": "attributes.budget", "operator": "at_most", "value": 10.0}),
        (BUDGET, 2, {"path": "attributes.budget", "operator": "range", "value": [10.0, 50.0]}),
        (BUDGET, 3, {"path": "attributes.budget", "operator": "at_least", "value": 50.0}),
        (COUNTRY, 3, None),
        (
            Binning(Trait("person.has_work_email", "E-mail", is_number=False), levels=("no", "yes")),
            2,
            {"path": "person.has_work_email", "operator": "equals", "value": True},
        ),
        (Binning(Trait("behaviour.page", "Pages", is_number=True), edges=(3.0,)), 2, None),
        (Binning(Trait("company.is_known", "Known", is_number=False), levels=("yes",)), 1, None),
    ],
)
def test_a_bin_is_a_condition_that_the_definition_takes(binning, code, condition) -> None:
    assert lifts.condition_of(binning, code) == condition
    if condition is not None:
        document = default_document()
        document["fit"].append({"key": "data", **condition, "points": 5})
        assert parse(document).criteria[-1].points == 5
