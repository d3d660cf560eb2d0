"""A real week of tickets replayed as clocks, against a computation that only counts seconds.

A ticket begins a clock when its seriousness is assigned; taking it in charge is the first attempt.
"""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta

import pytest

from sla.models import Clock
from sla.services import sweep
from tests.importing import real
from tests.sla.conftest import HOUR, agree, attempt, deliver

pytestmark = pytest.mark.django_db
MONDAY = datetime(2012, 7, 23, tzinfo=UTC)
END = MONDAY + timedelta(days=21)
TARGET = 4 * HOUR


def tickets():
    """(begun, taken or None) of the tickets of the week."""
    begun, taken = {}, {}
    with real("helpdesk", "derived_helpdesk.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            at = datetime.fromisoformat(row["time:timestamp"]).astimezone(UTC)
            if row["concept:name"] == "Assign seriousness":
                begun[row["case"]] = min(at, begun.get(row["case"], at))
            elif row["concept:name"] == "Take in charge ticket":
                taken.setdefault(row["case"], []).append(at)
    return [
        (at, min((t for t in taken.get(case, []) if at <= t < END), default=None))
        for case, at in sorted(begun.items(), key=lambda item: item[1])
        if MONDAY <= at < MONDAY + timedelta(days=7)
    ]


def is_met(begun: datetime, taken: datetime | None) -> bool:
    """Count every second that is open, Monday to Friday 10:00-18:00 UTC; nothing of the product is used."""
    counted, limit = 0, int(TARGET.total_seconds())
    for second in range(int(begun.timestamp()), int((taken or END).timestamp())):
        weekday, of_day = (second // 86_400 + 3) % 7, second % 86_400
        counted += weekday < 5 and 36_000 <= of_day < 64_800
        if counted > limit:
            return False
    return taken is not None


def test_met_and_broken_ones_are_those_that_a_slow_count_of_seconds_finds(rep):
    agree(target=TARGET)
    found = tickets()
    assert len(found) == 67
    todo = sorted(
        [(begun, 0, i) for i, (begun, _) in enumerate(found)]
        + [(taken, 1, i) for i, (_, taken) in enumerate(found) if taken is not None]
    )
    handoffs, swept = {}, MONDAY
    for at, what, i in todo:
        while swept + 7 * HOUR <= at:
            swept += 7 * HOUR
            sweep.run_once(now=swept)
        if what == 0:
            handoffs[i] = deliver(rep, at)
        else:
            handoffs[i].refresh_from_db()
            attempt(handoffs[i], rep, at)
    while sweep.run_once(now=END):
        pass
    states = dict(Clock.objects.filter(kind="respond").values_list("handoff_id", "state"))
    product = [states[handoffs[i].pk] == "met" for i in range(len(found))]
    assert product == [is_met(begun, taken) for begun, taken in found]
    assert 0 < product.count(True) < len(product)
