"""Definitions: canonical digests, the matrix, hysteresis, the gate, and drafts that explain what is wrong."""

from __future__ import annotations

import copy
import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel.domain import definitions, drafts
from funnel.domain.definitions import Action
from funnel.domain.drafts import DefinitionInvalid

DEFAULT = drafts.parse(definitions.default_document())


def draft(**changes: object) -> dict[str, object]:
    return {**definitions.default_document(), **changes}


def problems(document: object) -> dict[str, str]:
    return {problem.field: problem.code for problem in drafts.validate(document)}


@pytest.mark.parametrize("template", definitions.TEMPLATES.values())
def test_templates_are_valid(template):
    assert drafts.validate(template()) == []


def test_the_digest_ignores_key_order_spaces_and_whole_floats():
    document = definitions.default_document()
    reordered = json.loads(json.dumps(dict(reversed(document.items())), indent=3))
    reordered["half_life_days"] = 30.0
    assert definitions.digest(reordered) == DEFAULT.digest
    assert definitions.digest(draft(half_life_days=31)) != DEFAULT.digest
    assert definitions.canonical({"b": 1.0, "a": ["ü", True, None]}) == '{"a":["ü",true,null],"b":1}'.encode()


def test_the_default_reads_as_meant():
    assert DEFAULT.half_life == timedelta(days=30)
    assert DEFAULT.decide("A", 1) is Action.HAND_OFF
    assert DEFAULT.decide("C", 1) is Action.SELF_SERVE
    assert DEFAULT.decide("C", 3) is Action.DISCARD
    assert len(DEFAULT.weights) == len(DEFAULT.caps) == len(DEFAULT.signals)


def test_interest_only_ignores_fit():
    template = drafts.parse(definitions.interest_only_document())
    assert {template.decide(band, 1) for band in "ABC"} == {Action.HAND_OFF}


def test_bands_are_left_later_than_entered():
    assert [DEFAULT.interest_band(score) for score in (40, 39.9, 15, 14.9)] == [1, 2, 2, 3]
    assert [DEFAULT.interest_band(score, 1) for score in (36, 35.9, 13.4)] == [1, 2, 3]
    assert [DEFAULT.interest_band(score, 2) for score in (40, 39, 13.5, 13.4)] == [1, 2, 2, 3]
    assert DEFAULT.interest_band(39, 3) == 2
    assert DEFAULT.leave_below(1) == 36
    assert DEFAULT.leave_below(3) is None


def test_the_gate_names_what_is_missing():
    facts = {"person": {"name": "Ada", "phone": ""}, "company": {}}
    assert DEFAULT.missing(facts) == ["person.email or person.phone", "company.name"]
    assert DEFAULT.missing({"person": {"name": "Ada", "phone": "1"}, "company": {"name": "X"}}) == []


def test_exclusions_give_their_reason():
    assert DEFAULT.excluded_by({"person": {"title": "PhD Student"}}).reason == "Student"
    assert DEFAULT.excluded_by({"person": {}}) is None


def test_an_event_counts_for_every_signal_it_matches():
    keys = [DEFAULT.signals[i].key for i in DEFAULT.signals_for("page", {"url": "https://x.example/Pricing"})]
    assert keys == ["page", "pricing_page"]
    assert DEFAULT.signals_for("page", {}) == [0]
    named = DEFAULT.signals_for("form", {"name": "Request a demo"})
    assert [DEFAULT.signals[i].key for i in named] == ["form_submitted", "demo_requested"]
    assert DEFAULT.signals_for("unheard_of", {}) == []


def first(part: str, **changes: object) -> dict[str, object]:
    document = copy.deepcopy(definitions.default_document())
    document[part][0].update(changes)
    return document


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (None, ""), ([], ""), (draft(extra=1), "extra"),
        ({k: v for k, v in draft().items() if k != "fit"}, "fit"),
        (draft(half_life_days=0), "half_life_days"),
        (draft(half_life_days=True), "half_life_days"),
        (draft(half_life_days=float("nan")), ""),
        (draft(hysteresis=1), "hysteresis"),
        (draft(fit_bands={"A": 30, "B": 60}), "fit_bands.A"),
        (draft(interest_bands={"1": 30}), "interest_bands"),
        (draft(matrix={"A1": "hand_off"}), "matrix"),
        (draft(matrix={**definitions.default_document()["matrix"], "B2": "sell"}), "matrix.B2"),
        (draft(matrix={**definitions.default_document()["matrix"], "B2": ["nurture"]}), "matrix.B2"),
        (draft(minimum_information=[["__class__"]]), "minimum_information.0"),
        (draft(minimum_information=[[]]), "minimum_information.0"),
        (draft(fit={}), "fit"),
        (draft(fit=[1]), "fit.0.key"),
        (first("fit", key="Robert'); --"), "fit.0.key"),
        (first("fit", key="chief"), "fit.2.key"),
        (first("fit", path="user.password"), "fit.0.path"),
        (first("fit", operator="exec"), "fit.0.operator"),
        (first("fit", operator=["known"]), "fit.0.operator"),
        (first("fit", operator="range", value=[9, 1]), "fit.0.value"),
        (first("fit", operator="in", value=[]), "fit.0.value"),
        (first("fit", operator="at_least", value="many"), "fit.0.value"),
        (first("fit", operator="known", value=1), "fit.0.value"),
        (first("fit", value="x" * 300), "fit.0.value"),
        (first("fit", value={"a": 1}), "fit.0.value"),
        (first("fit", points="5"), "fit.0.points"),
        (first("fit", points=1.5), "fit.0.points"),
        (first("fit", points=101), "fit.0.points"),
        (first("signals", event=""), "signals.0.event"),
        (first("signals", daily_cap=0), "signals.0.daily_cap"),
        (first("signals", where=[{"path": "person.x", "operator": "known"}]), "signals.0.where.0.path"),
        (first("exclusions", reason=" "), "exclusions.0.reason"),
    ],
)  # fmt: skip
def test_each_mistake_is_named_with_its_place(document, field):
    assert field in problems(document)


def test_all_mistakes_are_told_at_once():
    with pytest.raises(DefinitionInvalid) as invalid:
        drafts.parse(draft(half_life_days=0, hysteresis=-1, fit=[]))
    assert [p.field for p in invalid.value.problems] == ["half_life_days", "hysteresis"]


json_any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda c: st.lists(c, max_size=4) | st.dictionaries(st.text(max_size=10), c, max_size=4),
    max_leaves=20,
)


@given(st.sampled_from(sorted(definitions.default_document())), json_any)
def test_no_value_of_any_part_breaks_the_reader(part, value):
    for problem in drafts.validate(draft(**{part: value})):
        assert problem.detail
