"""Fit: operators over known and unknown values, clamping, and explanations that add up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel.domain import fit
from funnel.domain.fit import Condition, Criterion

FACTS = {
    "person": {"title": "Head of Sales", "email": "  ", "has_work_email": True},
    "company": {"employees": 120, "annual_revenue": "1500000.50", "industry": "Retail"},
    "lead": {"products": ["GTX Pro", "MG Special"], "source": None},
    "attributes": {"segment": "SMB"},
}


@pytest.mark.parametrize(
    ("path", "operator", "value", "answer"),
    [
        ("company.employees", "at_least", 120, True),
        ("company.employees", "at_least", 121, False),
        ("company.employees", "at_most", 120, True),
        ("company.employees", "range", [50, 200], True),
        ("company.employees", "range", [121, 200], False),
        ("company.annual_revenue", "at_least", 1_000_000, True),
        ("company.industry", "at_least", 5, None),
        ("company.industry", "equals", " retail ", True),
        ("company.industry", "not_equals", "retail", False),
        ("company.industry", "in", ["Finance", "RETAIL"], True),
        ("company.industry", "not_in", ["Finance"], True),
        ("company.employees", "equals", "120", True),
        ("person.has_work_email", "equals", True, True),
        ("person.has_work_email", "equals", False, False),
        ("person.has_work_email", "equals", 1, False),
        ("person.title", "contains", "sales", True),
        ("person.title", "matches", "*head*", True),
        ("person.title", "matches", "head", False),
        ("person.title", "not_contains", "intern", True),
        ("lead.products", "equals", "MG Special", True),
        ("lead.products", "not_equals", "MG Special", False),
        ("lead.products", "matches", "gtx*", True),
        ("attributes.segment", "known", None, True),
        ("person.email", "known", None, False),
        ("person.email", "unknown", None, True),
        ("lead.source", "equals", "web", None),
        ("lead.source", "not_equals", "web", None),
        ("company.phone.mobile", "known", None, False),
    ],
)
def test_operators(path, operator, value, answer):
    assert fit.holds(Condition(path, operator, value), FACTS) is answer


def test_unknown_gives_no_points_not_even_negative_ones():
    criteria = [
        Criterion("a", Condition("lead.source", "equals", "web"), -30),
        Criterion("b", Condition("lead.source", "not_equals", "web"), -30),
    ]
    result = fit.evaluate(criteria, FACTS)
    assert (result.score, result.clamped) == (0, 0)
    assert [line.outcome for line in result.lines] == ["unknown", "unknown"]


def test_the_score_is_clamped_and_says_so():
    criteria = [Criterion("a", Condition("company.employees", "known"), 80),
                Criterion("b", Condition("company.industry", "known"), 70)]  # fmt: skip
    result = fit.evaluate(criteria, FACTS)
    assert (result.score, result.clamped) == (100, -50)


@pytest.mark.parametrize(
    ("score", "band"), [(100, "A"), (60, "A"), (59, "B"), (30, "B"), (29, "C"), (0, "C")]
)
def test_bands(score, band):
    assert fit.band(score, {"A": 60, "B": 30}) == band


@pytest.mark.parametrize(
    ("condition", "points", "words"),
    [
        (Condition("company.size", "at_least", 50), 20, "+20 when the company's size is at least 50"),
        (Condition("company.size", "range", [5, 9]), 5, "+5 when the company's size is between 5 and 9"),
        (Condition("lead.a", "in", ["S", "M"]), -5, "-5 when the lead's a is one of “S”, “M”"),
        (Condition("person.has_work_email", "equals", True), 1, 
         "+1 when the person's e-mail address is one of a company"),
        (Condition("person.email", "known"), 1, "+1 when the person's email is known"),
    ],
)  # fmt: skip
def test_sentences(condition, points, words):
    assert fit.sentence(Criterion("k", condition, points)) == words


@pytest.mark.parametrize(
    ("pattern", "text", "answer"),
    [("*", "", True), ("", "", True), ("", "x", False), ("?", "x", True), ("a*b?d", "AxxbCd", True),
     ("*a*b*c*", "xaxbx", False), ("[a-z]*", "b", False), ("*%*", "100%", True)],
)  # fmt: skip
def test_wildcards(pattern, text, answer):
    assert fit.wildcard(pattern, text) is answer


def test_a_hostile_pattern_is_bounded():
    assert fit.wildcard("*a" * 99 + "*b", "a" * 5000) is False


@pytest.mark.parametrize("text", ["١٢", "1_000", "nan", "inf", "", "9" * 41, True, None, object()])
def test_what_is_no_number(text):
    assert fit.number(text) is None


criteria = st.lists(
    st.builds(
        Criterion,
        st.just("k"),
        st.builds(
            Condition,
            st.sampled_from(["company.employees", "lead.source", "person.title", "company.x"]),
            st.sampled_from(["known", "unknown", "equals", "not_equals", "contains", "matches", "at_least"]),
            st.sampled_from(["120", "Head of Sales", "web", "*"]),
        ),
        st.integers(-100, 100),
    ),
    max_size=12,
)


@given(criteria)
def test_the_explanation_always_adds_up(criteria):
    result = fit.evaluate(criteria, FACTS)
    assert sum(line.points for line in result.lines) + result.clamped == result.score
    assert 0 <= result.score <= 100
    assert all(line.points == 0 for line in result.lines if line.outcome != "matched")


values_of_any_kind = (
    st.none()
    | st.booleans()
    | st.integers(0, 200)
    | st.sampled_from(["", " web ", "120", "120.0", "Head of Sales"])
)


@given(
    criteria, st.lists(st.tuples(values_of_any_kind, st.lists(values_of_any_kind, max_size=2)), max_size=6)
)
def test_the_scorer_with_its_memory_gives_the_same_score(criteria, people):
    scorer = fit.Scorer(criteria)
    for value, several in people * 2:
        facts = {"company": {"employees": value, "x": several}, "lead": {"source": value}, "person": None}
        assert scorer.score(facts) == fit.evaluate(criteria, facts).score
