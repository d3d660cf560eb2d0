"""Clauses as data: every metric reads back as it was written, and what makes no sense is refused."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from sla.domain import clauses, differences
from sla.domain.metrics import METRICS

EIGHT_HOURS = timedelta(hours=8)


def one(**parts):
    return {"metric": "first_response", "target": 60, "calendar": 1} | parts


def problems_of(*documents):
    with pytest.raises(clauses.ClausesInvalid) as refused:
        clauses.parse(list(documents))
    return [(p.field, p.code) for p in refused.value.problems]


@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_reads_back_as_it_was_written(metric):
    rule = METRICS[metric]
    document = {"metric": metric, "target": str(rule.least), "calendar": 1 if rule.needs_calendar else None}
    (spec,) = clauses.parse([document])
    assert (spec.side, spec.comparator, spec.period) == (rule.side, rule.comparator, rule.periods[0])
    assert clauses.parse([spec.to_json()]) == (spec,)


def test_the_canonical_form_of_a_plain_clause_has_not_changed():
    (spec,) = clauses.parse([one()])
    assert clauses.canonical([spec]) == (
        b'{"clauses":[{"accountable":null,"backup":null,"calendar":1,"comparator":"<=","grace_seconds":0,'
        b'"metric":"first_response","period":"","population":{},"side":"sales","target":"60"}]}'
    )


def test_annex_and_day_are_part_of_what_is_signed():
    specs = clauses.parse([one()])
    plain = clauses.digest(specs)
    assert clauses.digest(specs, annex={}) == plain
    assert (
        len({plain, clauses.digest(specs, annex={"links": []}), _with_day(specs, 1), _with_day(specs, 2)})
        == 4
    )


def _with_day(specs, day):
    return clauses.digest(specs, effective_on=date(2026, 2, day))


@pytest.mark.parametrize(
    ("parts", "hours"),
    [
        ({"target": 90}, 1.5),
        ({"target": 60, "grace_seconds": 600}, 1 + 1 / 6),
        ({"metric": "return_feedback", "target": 2}, 16),
        ({"metric": "outcome", "target": "0.5"}, 4),
        ({"metric": "depth", "target": 5}, 80),
        ({"metric": "depth", "target": 5, "terms": {"within_days": 3}}, 24),
    ],
)
def test_a_promise_in_days_is_measured_by_the_calendars_ordinary_day(parts, hours):
    (spec,) = clauses.parse([one(**parts)])
    assert spec.duration(EIGHT_HOURS) == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("parts", "field", "code"),
    [
        ({"metric": "kindness"}, "clauses.0.metric", "unknown"),
        ({"metric": "supply_count", "target": 10, "period": "day"}, "clauses.0.period", "not_allowed"),
        (
            {"metric": "supply_count", "target": 10, "terms": {"ceiling": 9}},
            "clauses.0.terms.ceiling",
            "below_floor",
        ),
        (
            {"metric": "supply_count", "target": 10, "terms": {"per": "company"}},
            "clauses.0.terms.per",
            "out_of_range",
        ),
        (
            {"metric": "depth", "target": 5, "terms": {"channels": 4}},
            "clauses.0.terms.channels",
            "out_of_range",
        ),
        ({"metric": "depth", "target": 5, "terms": {"days": True}}, "clauses.0.terms.days", "out_of_range"),
        ({"terms": {"days": 3}}, "clauses.0.terms.days", "unknown"),
        ({"terms": []}, "clauses.0.terms", "not_an_object"),
        ({"metric": "worked", "target": 101}, "clauses.0.target", "out_of_range"),
        ({"metric": "worked", "target": 90, "side": "marketing"}, "clauses.0.side", "not_allowed"),
        ({"population": {"team": "x"}}, "clauses.0.team", "not_an_id"),
        ({"population": {"colour": "red"}}, "clauses.0.population", "unknown"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(parts, field, code):
    assert (field, code) in problems_of(one(**parts))


def test_a_floor_for_some_leads_may_stand_beside_that_for_all_but_not_twice():
    supply = {"metric": "supply_count", "target": 100, "calendar": 1, "period": "month"}
    hot = supply | {"target": 30, "population": {"bands": ["A1"]}}
    assert len(clauses.parse([supply, hot])) == 2
    assert problems_of(supply, supply | {"target": 50}) == [("clauses.1.population", "overlap")]


def test_two_clocks_of_one_metric_never_run_for_one_lead():
    assert problems_of(one(), one(population={"bands": ["A1"]})) == [("clauses.1.population", "overlap")]
    assert len(clauses.parse([one(population={"team": 1}), one(population={"team": 2})])) == 2


def test_a_clause_covers_its_cells_and_teams():
    (spec,) = clauses.parse([one(population={"bands": ["A1", "A2"], "team": 7})])
    assert spec.covers("A1", [7, 8])
    assert spec.covers("", [7])
    assert not spec.covers("B1", [7])
    assert not spec.covers("A1", [8])


def test_differences_pair_the_same_promise_and_name_what_changed():
    supply = {"metric": "supply_count", "target": 100, "calendar": 1}
    old = clauses.parse([one(), supply, {"metric": "worked", "target": 80}])
    new = clauses.parse([supply | {"terms": {"ceiling": 130}}, one(), {"metric": "touched", "target": 95}])
    found = differences.between(old, new)
    assert [(d.change, (d.after or d.before).metric, d.parts) for d in found] == [
        ("changed", "supply_count", ("terms.ceiling",)),
        ("same", "first_response", ()),
        ("added", "touched", ()),
        ("removed", "worked", ()),
    ]
