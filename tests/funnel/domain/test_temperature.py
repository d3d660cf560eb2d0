"""Temperature: interest now beside that of a week ago."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from funnel.domain import interest, temperature
from funnel.domain.interest import Decay, Occurrence

NOW = datetime(2026, 3, 12, 15, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("now", "before", "heat", "trend"),
    [
        (40, 60, "hot", "cooler"),
        (15, 15, "warm", "same"),
        (39.9, 10, "warm", "warmer"),
        (6, 2, "warm", "warmer"),
        (6, 6.5, "cooling", "same"),
        (6, 20, "cooling", "cooler"),
        (0.9, 3, "cold", "cooler"),
        (0, 0, "cold", "same"),
        (-5, 0, "cold", "cooler"),
    ],
)
def test_the_words_follow_from_two_numbers(now, before, heat, trend):
    told = temperature.of(now, before, hot=40, warm=15)
    assert (told.heat, told.trend) == (heat, trend)


def test_the_score_of_a_week_ago_is_found_without_the_older_events():
    """What a replay up to that instant gives is what is left after taking the recent points off."""
    decay = Decay(NOW - 90 * DAY, 30 * DAY)
    weights, caps = [8.0, 1.0], [None, 2]
    old = [Occurrence(0, NOW - 40 * DAY), Occurrence(1, NOW - 8 * DAY), Occurrence(0, NOW - 7 * DAY)]
    edge = [Occurrence(1, NOW - 7 * DAY - timedelta(hours=h)) for h in (1, 2, 3)]  # two of them count
    new = [
        Occurrence(1, NOW - 7 * DAY + timedelta(hours=1)),
        *(Occurrence(1, NOW - n * DAY) for n in range(3)),
    ]
    events = old + edge + new

    def score(known, at):
        return decay.score(weights, interest.masses(decay, known, caps), at)

    week_ago = NOW - 7 * DAY
    recent = temperature.recent_score(
        decay, edge + [old[2]] + new, weights=weights, caps=caps, since=week_ago, at=NOW
    )
    before = temperature.score_before(decay, score(events, NOW), recent)
    assert before == pytest.approx(score(old + edge, week_ago), rel=1e-9)


def test_points_are_counted_by_key_under_the_daily_cap_whatever_the_order():
    rows = [
        (NOW, "/pricing", [0, 1]),
        (NOW + timedelta(hours=1), "/pricing", [0, 1]),
        (NOW + timedelta(hours=2), "/home", [0]),
        (NOW + DAY, "/pricing", [0, 1]),
    ]
    expected = {"/pricing": (1 + 8 + 8 + 1 + 8, 3), "/home": (0.0, 1)}
    for order in (rows, rows[::-1]):
        assert temperature.points_by(order, weights=[1, 8], caps=[1, 2]) == expected
