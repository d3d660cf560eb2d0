"""Exact decay: the golden vectors, order independence, landmark moves, caps, explanations."""

from __future__ import annotations

import itertools
import math
import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel.domain import interest
from funnel.domain.interest import Crossing, Decay, Occurrence

DAY = timedelta(days=1)
NOW = datetime(2026, 3, 1, tzinfo=UTC)
DECAY = Decay(NOW - 100 * DAY, 30 * DAY)


def direct(events: list[tuple[float, datetime]], at: datetime, half_life: timedelta) -> float:
    return math.fsum(w * 2 ** (-((at - t) / half_life)) for w, t in events)


def test_thirty_points_after_one_and_a_half_half_lives():
    assert DECAY.score([30], [DECAY.mass(NOW - 45 * DAY)], NOW) == pytest.approx(10.607, abs=5e-4)


def test_a_contribution_halves_every_half_life():
    masses = [DECAY.mass(NOW)]
    scores = [DECAY.score([30], masses, NOW + i * 30 * DAY) for i in range(4)]
    assert scores == pytest.approx([30, 15, 7.5, 3.75], abs=1e-12)


def test_without_positive_interest_there_is_no_key():
    assert DECAY.key([5], [0.0]) is None
    assert DECAY.key([5, -10], [1.0, 1.0]) is None
    assert DECAY.score([5, -10], [DECAY.mass(NOW)] * 2, NOW) == pytest.approx(-5)
    assert DECAY.cools_at(None, 10) is None


def test_cooling_is_known_in_advance():
    key = DECAY.key([40], [DECAY.mass(NOW)])
    cools = DECAY.cools_at(key, 10)
    assert abs(cools - (NOW + 60 * DAY)) < timedelta(milliseconds=1)
    assert DECAY.score_of_key(key, cools) == pytest.approx(10, abs=1e-9)
    assert DECAY.key_at(10, cools) == pytest.approx(key, abs=1e-9)


def test_cooling_is_clamped_to_the_calendar():
    slow = Decay(NOW, timedelta(days=365 * 5000))
    assert slow.cools_at(900.0, 1e-9) == interest.LATEST
    assert slow.cools_at(-900.0, 1e9) == interest.EARLIEST


def test_caps_count_the_first_k_of_a_utc_day_from_the_days_start():
    morning = datetime(2026, 3, 1, 8, tzinfo=UTC)
    events = [Occurrence(0, morning + timedelta(hours=h)) for h in (3, 0, 1, 2)] + [
        Occurrence(0, morning + DAY)
    ]
    counted = interest.contributions(events, [2])
    assert [(c.at, c.dated_at) for c in counted] == [
        (morning, datetime(2026, 3, 1, tzinfo=UTC)),
        (morning + timedelta(hours=1), datetime(2026, 3, 1, tzinfo=UTC)),
        (morning + DAY, datetime(2026, 3, 2, tzinfo=UTC)),
    ]


def test_counting_on_equals_counting_at_once():
    assert [interest.counted_more(a, 2, 3) for a in range(5)] == [2, 2, 1, 0, 0]


def test_the_landmark_moves_without_changing_a_score():
    weights, masses = [3.0, -1.0], [DECAY.mass(NOW), DECAY.mass(NOW - 9 * DAY)]
    moved, factor, summand = DECAY.shifted(NOW)
    rescaled = [m * factor for m in masses]
    later = NOW + 12 * DAY
    assert moved.score(weights, rescaled, later) == pytest.approx(
        DECAY.score(weights, masses, later), rel=1e-12
    )
    assert moved.key(weights, rescaled) == pytest.approx(DECAY.key(weights, masses) + summand, abs=1e-9)


def test_the_landmark_moves_long_before_numbers_end():
    short = Decay(NOW, DAY)
    assert not short.needs_shift(NOW + 399 * DAY)
    assert short.needs_shift(NOW + 400 * DAY)
    with pytest.raises(OverflowError):
        short.mass(NOW + 501 * DAY)
    assert short.mass(NOW - 5000 * DAY) == 0.0


def test_qualifying_and_cooling_are_told_with_their_instants():
    events = [Occurrence(0, NOW), Occurrence(0, NOW + DAY), Occurrence(0, NOW + 200 * DAY)]
    told = list(interest.crossings(DECAY, events, weights=[30], caps=[None], enter=50, leave=45))
    assert told[0] == Crossing(NOW + DAY, entered=True)
    assert [c.entered for c in told] == [True, False]
    score = 30 * 2 ** (-1 / 30) + 30
    assert (told[1].at - (NOW + DAY)) / DAY == pytest.approx(30 * math.log2(score / 45), abs=1e-6)


def test_a_negative_signal_can_end_it_at_once():
    events = [Occurrence(0, NOW), Occurrence(1, NOW + DAY)]
    told = list(interest.crossings(DECAY, events, weights=[60, -40], caps=[None, None], enter=50, leave=45))
    assert told == [Crossing(NOW, entered=True), Crossing(NOW + DAY, entered=False)]


def test_the_explanation_sums_to_the_score():
    masses = {"page": DECAY.mass(NOW - 5 * DAY) * 3, "form": DECAY.mass(NOW - 40 * DAY), "none": 0.0}
    shown, shares = interest.explain(DECAY, {"page": 1, "form": 20, "none": 9}, masses, NOW)
    assert [s.key for s in shares] == ["form", "page"]
    assert round(sum(s.shown for s in shares), 1) == shown
    assert math.fsum(s.points for s in shares) == pytest.approx(
        DECAY.score([1, 20], [masses["page"], masses["form"]], NOW), abs=1e-9
    )


instants = st.integers(-400 * 86400, 0).map(lambda s: NOW + timedelta(seconds=s))
occurrences = st.lists(st.builds(Occurrence, st.integers(0, 2), instants), max_size=40)
weights3 = st.lists(st.integers(-20, 50).map(float), min_size=3, max_size=3)
caps3 = st.lists(st.none() | st.integers(1, 3), min_size=3, max_size=3)


@given(occurrences, weights3, st.randoms())
def test_masses_give_the_formula_in_any_order(events, weights, random):
    shuffled = list(events)
    random.shuffle(shuffled)
    masses = [0.0, 0.0, 0.0]
    for event in shuffled:
        masses[event.slot] += DECAY.mass(event.at)
    expected = direct([(weights[e.slot], e.at) for e in events], NOW, DECAY.half_life)
    assert DECAY.score(weights, masses, NOW) == pytest.approx(expected, abs=1e-9)


@given(occurrences, caps3, st.randoms())
def test_capped_masses_do_not_depend_on_arrival(events, caps, random):
    shuffled = list(events)
    random.shuffle(shuffled)
    assert interest.masses(DECAY, shuffled, caps) == interest.masses(DECAY, events, caps)
    seen: dict[tuple[int, datetime], int] = {}
    adding = [0.0, 0.0, 0.0]
    for event in shuffled:
        cap, day = caps[event.slot], interest.day_start(event.at)
        if cap is None:
            adding[event.slot] += DECAY.mass(event.at)
        else:
            more = interest.counted_more(seen.get((event.slot, day), 0), 1, cap)
            seen[event.slot, day] = seen.get((event.slot, day), 0) + 1
            adding[event.slot] += DECAY.mass(day, more)
    assert adding == pytest.approx(interest.masses(DECAY, events, caps), rel=1e-9)


@given(occurrences, occurrences, weights3, st.integers(0, 3000))
def test_ranking_never_changes_with_time(mine, yours, weights, days):
    keys = [DECAY.key(weights, interest.masses(DECAY, events, [None] * 3)) for events in (mine, yours)]
    if None in keys or abs(keys[0] - keys[1]) < 1e-9:
        return
    scores = [DECAY.score_of_key(key, NOW + days * DAY) for key in keys]
    assert (scores[0] > scores[1]) == (keys[0] > keys[1])


@given(occurrences, caps3, st.randoms())
def test_the_instant_of_qualification_does_not_depend_on_arrival(events, caps, random):
    def told(some: list[Occurrence]) -> list[Crossing]:
        return list(interest.crossings(DECAY, some, weights=[5, 9, -4], caps=caps, enter=20, leave=18))

    shuffled = list(events)
    random.shuffle(shuffled)
    result = told(events)
    assert told(shuffled) == result
    assert [c.entered for c in result] == [i % 2 == 0 for i in range(len(result))]
    assert [c.at for c in result] == sorted(c.at for c in result)


@given(st.dictionaries(st.text(min_size=1, max_size=3), st.floats(0, 1e6), max_size=8), st.integers(0, 2))
def test_shown_parts_always_sum_to_the_shown_score(masses, digits):
    frame = Decay(NOW, DAY)
    weights = {key: (-1.0) ** i * (i + 1) for i, key in enumerate(sorted(masses))}
    shown, shares = interest.explain(frame, weights, masses, NOW, digits=digits)
    assert sum(round(s.shown * 10**digits) for s in shares) == round(shown * 10**digits)


def test_the_order_by_key_is_the_order_by_recomputed_score_at_a_thousand_instants():
    chance = random.Random(20260301)
    weights = [1.0, 8.0, 40.0]
    people = [
        [(chance.randrange(3), NOW - chance.random() * 300 * DAY) for _ in range(chance.randint(1, 12))]
        for _ in range(30)
    ]
    masses = [[math.fsum(DECAY.mass(at) for s, at in events if s == slot) for slot in range(3)]
              for events in people]  # fmt: skip
    by_key = sorted(range(30), key=lambda i: DECAY.key(weights, masses[i]) or -math.inf, reverse=True)
    for _ in range(1000):
        at = NOW + chance.random() * 1000 * DAY
        now = [direct([(weights[s], t) for s, t in events], at, DECAY.half_life) for events in people]
        for hotter, cooler in itertools.pairwise(by_key):
            assert now[hotter] >= now[cooler] * (1 - 1e-9)


@given(occurrences, st.floats(0.5, 200))
def test_the_recomputed_score_crosses_at_the_instant_of_cooling(events, threshold):
    weighted = [(10.0, event.at) for event in events]
    key = DECAY.key([10.0], [math.fsum(DECAY.mass(at) for _w, at in weighted)])
    cools = DECAY.cools_at(key, threshold)
    if cools is None:
        assert not events
        return
    second = timedelta(seconds=1)
    assert direct(weighted, cools - second, DECAY.half_life) > threshold
    assert direct(weighted, cools + second, DECAY.half_life) < threshold
