"""New data of time zones names the deadlines it would move; they move only on record (I-13)."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from sla.models import Clock, ClockAction
from sla.selectors import recalculated
from sla.services import recalculations
from smarketing.core import clock
from tests.sla.conftest import HOUR, MONDAY, attempt

pytestmark = pytest.mark.django_db
NOW = MONDAY + HOUR


@pytest.fixture
def moved(clock_of, monkeypatch) -> Clock:
    """A clock whose deadlines were stored when its zone stood an hour off."""
    monkeypatch.setattr(clock, "now", lambda: NOW)
    clock_of(MONDAY)  # one that is right
    found = clock_of(MONDAY)
    levels = [
        {**level, "at": (datetime.fromisoformat(level["at"]) + HOUR).isoformat()}
        for level in found.thresholds
    ]
    Clock.objects.filter(pk=found.pk).update(
        thresholds=levels, due_at=found.due_at + HOUR, next_at=found.next_at + HOUR
    )
    return found


def test_deadlines_that_are_right_are_not_named(clock_of, rep):
    clock_of(MONDAY)
    attempt(clock_of(MONDAY).handoff, rep, MONDAY + HOUR)
    late = MONDAY + timedelta(days=4, hours=7, minutes=30)
    clock_of(late)  # over the weekend
    assert list(recalculated.shifted(now=NOW)) == []
    assert list(recalculated.shifted(now=late + HOUR)) == []


def test_a_deadline_that_new_data_would_move_is_named_and_left(moved):
    told = StringIO()
    call_command("deadlines", stdout=told)
    assert (
        f"clock {moved.pk}, lead {moved.handoff.lead_id}, Rita Rep: due 2026-01-12 15:00" in told.getvalue()
    )
    assert "→ 2026-01-12 14:00 UTC" in told.getvalue()
    assert "1 differ by tzdata" in told.getvalue()
    assert Clock.objects.get(pk=moved.pk).due_at == MONDAY + 5 * HOUR


def test_a_recalculation_moves_it_on_record(moved):
    call_command("deadlines", "recalculate", stdout=StringIO())
    now = Clock.objects.get(pk=moved.pk)
    assert (now.due_at, now.state) == (MONDAY + 4 * HOUR, "running")
    entry = ClockAction.objects.get(clock=moved, verb=recalculations.VERB)
    assert entry.reason.startswith("tzdata 2")
    assert (entry.actor, entry.before["due_at"]) == (None, (MONDAY + 5 * HOUR).isoformat())
    assert json.dumps(entry.after["thresholds"])
    told = StringIO()
    call_command("deadlines", stdout=told)
    assert told.getvalue().startswith("Every open deadline is as tzdata")
