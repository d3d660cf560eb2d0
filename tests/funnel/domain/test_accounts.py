"""The journey of a company: a function of its laps and deals."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from funnel.domain.accounts import Arrival, high_water, journey
from funnel.domain.lifecycle import DEFAULT_LADDER

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def came(days: float, stage: str, lead: int = 1, seq: int = 1, kind: str = "lead") -> Arrival:
    return Arrival(START + timedelta(days=days), kind, lead, seq, stage)


def told(*arrivals: Arrival) -> list[tuple[str | None, str]]:
    return [(step.from_stage, step.to_stage) for step in journey(arrivals, DEFAULT_LADDER)]


def test_it_stands_where_the_furthest_open_lap_stands() -> None:
    steps = journey(
        [came(0, "lead", 1), came(1, "lead", 2), came(2, "mql", 2), came(3, "sql", 1), came(4, "mql", 1, 9)],
        DEFAULT_LADDER,
    )
    assert [(s.from_stage, s.to_stage, s.because[1]) for s in steps] == [
        (None, "lead", 1),
        ("lead", "mql", 2),
        ("mql", "sql", 1),
        ("sql", "mql", 1),  # lead 1 went back, and that is the reason, though lead 2 stands there, too
    ]
    assert high_water(steps, DEFAULT_LADDER) == "sql"


def test_a_lap_that_ends_counts_only_where_nobody_else_is_under_way() -> None:
    assert told(came(0, "mql", 1), came(1, "lead", 2), came(2, "recycled", 1), came(3, "lost", 2)) == [
        (None, "mql"),
        ("mql", "lead"),
        ("lead", "lost"),
    ]


def test_who_is_kept_warm_counts_before_who_was_lost_and_behind_who_is_on_the_road() -> None:
    assert told(came(0, "lead", 1), came(1, "nurture", 1, 2), came(2, "lead", 2), came(3, "lost", 2, 2)) == [
        (None, "lead"),
        ("lead", "nurture"),
        ("nurture", "lead"),
        ("lead", "nurture"),
    ]


def test_a_deal_makes_an_opportunity_and_a_customer_for_good() -> None:
    assert told(
        came(0, "lead", 1),
        came(1, "opportunity", 7, 1, "deal"),
        came(2, "customer", 7, 2, "deal"),
        came(3, "opportunity", 8, 1, "deal"),
        came(4, "lost", 8, 2, "deal"),
        came(5, "mql", 1, 2),
    ) == [(None, "lead"), ("lead", "opportunity"), ("opportunity", "customer")]


def test_what_happens_at_one_instant_is_one_step_and_the_order_of_telling_is_nothing() -> None:
    arrivals = [came(0, "lead", 1, 1), came(0, "mql", 1, 2), came(2, "lead", 2), came(3, "sql", 2, 2)]
    expected = told(*arrivals)
    assert expected == [(None, "mql"), ("mql", "sql")]
    for seed in range(20):
        random.Random(seed).shuffle(arrivals)  # noqa: S311 - any order
        assert told(*arrivals) == expected


def test_without_laps_and_deals_there_is_no_journey() -> None:
    assert journey([], DEFAULT_LADDER) == []
