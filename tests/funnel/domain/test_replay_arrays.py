"""Thousands of leads at once give the very instants that the rule for one lead gives."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from funnel.domain.definitions import default_document
from funnel.domain.drafts import parse
from funnel.domain.interest import Decay, Occurrence
from funnel.domain.qualification import FitUntil, first_hand_off
from funnel.domain.replay import SCALES, scaled
from funnel.domain.replay_arrays import (
    MOST_INSTANTS,
    NONE,
    Leads,
    Occurrences,
    first_hand_offs,
    instant_of,
    may_hand_off,
    micros,
    parts_of,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
END = START + timedelta(days=20)
# Few instants, so that events, captures and changes of fit often meet.
_AT = st.builds(lambda hours: START + timedelta(hours=hours), st.integers(0, 24 * 21))
_EVENTS = st.lists(st.tuples(st.integers(0, 3), _AT), max_size=25)
_BANDS = st.sampled_from("ABC")
_LEAD = st.tuples(st.integers(0, 3), _AT.filter(lambda at: at < END), st.lists(_AT, max_size=2, unique=True),
                  st.lists(_BANDS, min_size=3, max_size=3))  # fmt: skip


def rules(points: list[float], caps: list[int | None], *, hand_off: str = "A1 A2 B1") -> Any:
    document = copy.deepcopy(default_document())
    document["signals"] = document["signals"][: len(points)]
    for signal, worth, cap in zip(document["signals"], points, caps, strict=True):
        signal["points"] = worth
        signal.pop("daily_cap", None)
        if cap is not None:
            signal["daily_cap"] = cap
    document["matrix"] = {c: "hand_off" if c in hand_off.split() else "nurture" for c in document["matrix"]}
    return parse(document)


def fits(changes: list[datetime], bands: list[str]) -> list[FitUntil]:
    ends: list[datetime | None] = [*sorted(changes), None]
    return [FitUntil(band, until) for band, until in zip(bands, ends, strict=False)]


@settings(max_examples=120, deadline=None)
@given(
    st.lists(_EVENTS, min_size=4, max_size=4),
    st.lists(_LEAD, min_size=1, max_size=6),
    st.lists(st.sampled_from([-30, 1, 7, 15, 23, 40]), min_size=4, max_size=4),
    st.lists(st.sampled_from([None, 1, 2]), min_size=4, max_size=4),
    st.sampled_from(["A1 A2 B1", "A1", "A3 B1", "A1 B1 C1 A2"]),
)
def test_many_leads_at_once_qualify_at_the_instants_of_the_rule_for_one(
    events: Any, leads: Any, points: Any, caps: Any, hand_off: str
) -> None:
    definition = rules(points, caps, hand_off=hand_off)
    decay = Decay(END, definition.half_life)
    flat = [(person, slot, micros(at)) for person, own in enumerate(events) for slot, at in own]
    columns = np.array(flat, dtype=np.int64).reshape(-1, 3).T
    parts = parts_of(definition, decay, Occurrences(*columns), before=END)
    person = np.array([lead[0] for lead in leads], dtype=np.int64)
    captured = np.array([micros(lead[1]) for lead in leads], dtype=np.int64)
    over_time = [fits(changes, bands) for _person, _at, changes, bands in leads]
    found, doubtful = first_hand_offs(
        definition, decay, parts, Leads(person, captured, over_time), scales=SCALES, before=END
    )
    could = may_hand_off(definition, decay, parts, person=person, captured=captured, lowest=min(SCALES))
    for number, (who, at, _changes, _bands) in enumerate(leads):
        own = [Occurrence(slot, when) for slot, when in events[who]]
        for column, scale in enumerate(SCALES):
            expected = first_hand_off(
                scaled(definition, scale), decay, own, over_time[number], start=at, now=END
            )
            expected = None if expected is None or expected >= END else expected
            got = None if found[number, column] == NONE else instant_of(int(found[number, column]))
            assert got == expected or doubtful[number]
            assert expected is None or could[number]


def test_only_a_score_beside_a_threshold_is_doubtful_and_who_did_too_much_to_walk_along() -> None:
    definition = rules([40.0, 8.0], [None, None])
    decay = Decay(END, definition.half_life)
    busy = MOST_INSTANTS + 1
    at = [micros(START), *(micros(START) + 1000 * n for n in range(busy)), micros(START)]
    who, slot = [0, *[1] * busy, 2], [0, *[1] * busy, 1]
    parts = parts_of(definition, decay, Occurrences(*np.array([who, slot, at])), before=END)
    leads = Leads(np.array([0, 1, 2]), np.full(3, micros(START)), [[FitUntil("A", None)]] * 3)
    _found, doubtful = first_hand_offs(definition, decay, parts, leads, scales=(1.0,), before=END)
    assert doubtful.tolist() == [True, True, False]
