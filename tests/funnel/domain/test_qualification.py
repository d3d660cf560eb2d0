"""The first instant of "hand off": at capture, at an event, or when fit changes; never by order."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel.domain.definitions import default_document
from funnel.domain.drafts import parse
from funnel.domain.interest import Decay, Occurrence, masses
from funnel.domain.qualification import FitUntil, could_hand_off, first_hand_off, fit_at

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
RULES = parse(default_document())
DECAY = Decay(datetime(2020, 1, 1, tzinfo=UTC), RULES.half_life)
SLOT = {signal.key: slot for slot, signal in enumerate(RULES.signals)}
GOOD = [FitUntil("A", None)]


def at(key: str, when: datetime) -> Occurrence:
    return Occurrence(SLOT[key], when)


def first(events, *, fits=GOOD, start=NOON, now=NOON + 30 * DAY):
    return first_hand_off(RULES, DECAY, events, fits, start=start, now=now)


def test_the_event_that_crosses_the_threshold_is_the_instant():
    events = [at("page", NOON + HOUR), at("webinar_attended", NOON + 2 * HOUR)]
    assert first(events) == NOON + 2 * HOUR  # A2 says hand off from 15 points on


def test_interest_from_before_the_lap_counts_at_its_start():
    assert first([at("demo_requested", NOON - DAY)]) == NOON


def test_interest_that_has_cooled_does_not():
    assert first([at("webinar_attended", NOON - 60 * DAY)]) is None


def test_a_change_of_fit_is_an_instant_too():
    fits = [FitUntil("C", NOON + 3 * DAY), FitUntil("A", None)]
    assert first([at("demo_requested", NOON + HOUR)], fits=fits) == NOON + 3 * DAY
    assert fit_at(fits, NOON + 3 * DAY) == "A"


def test_fit_that_was_good_for_a_while_qualified_then():
    fits = [FitUntil("A", NOON + 3 * DAY), FitUntil("C", None)]
    assert first([at("demo_requested", NOON + HOUR)], fits=fits) == NOON + HOUR


def test_what_has_not_happened_yet_does_not_count():
    assert first([at("demo_requested", NOON + 2 * DAY)], now=NOON + DAY) is None


def test_a_capped_signal_takes_effect_when_it_happened_not_at_the_start_of_its_day():
    assert first([at("demo_requested", NOON + HOUR)], start=NOON - 6 * HOUR) == NOON + HOUR


@given(st.lists(st.tuples(st.sampled_from(sorted(SLOT)), st.integers(-400, 600)), max_size=12), st.randoms())
def test_the_order_of_learning_never_matters(drawn, chance: random.Random):
    events = [at(key, NOON + hours * HOUR) for key, hours in drawn]
    shuffled = list(events)
    chance.shuffle(shuffled)
    assert first(events) == first(shuffled)


@given(st.lists(st.tuples(st.sampled_from(sorted(SLOT)), st.integers(-400, 600)), max_size=12))
@pytest.mark.parametrize("fit", ["A", "B", "C"])
def test_the_bound_never_hides_a_hand_off(fit, drawn):
    events = [at(key, NOON + hours * HOUR) for key, hours in drawn]
    found = first(events, fits=[FitUntil(fit, None)])
    if found is not None:
        assert could_hand_off(RULES, DECAY, masses(DECAY, events, RULES.caps), {fit}, since=NOON)
