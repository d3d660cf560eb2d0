"""Signs of life and jumps of the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from smarketing.core import heartbeats, runner
from smarketing.core.loops import Loop
from smarketing.core.models import Heartbeat

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def boot_seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds since boot, as the test moves them."""
    seconds = [1000.0]
    monkeypatch.setattr(heartbeats, "_seconds_since_boot", lambda: seconds[0])
    monkeypatch.setattr(heartbeats, "_boot_id", lambda: "boot-1")
    return seconds


def test_a_canary_never_heard_is_not_late() -> None:
    assert not heartbeats.canary_is_late(now=NOON)


def test_a_canary_is_late_after_three_minutes() -> None:
    heartbeats.beat(name=heartbeats.CANARY, now=NOON)
    assert not heartbeats.canary_is_late(now=NOON + timedelta(seconds=180))
    assert heartbeats.canary_is_late(now=NOON + timedelta(seconds=181))


def test_time_that_passes_evenly_is_trusted(boot_seconds: list[float]) -> None:
    for hour in range(48):
        boot_seconds[0] = 1000.0 + 3600 * hour
        assert heartbeats.clock_is_true(wall=NOON + timedelta(hours=hour))


def test_small_steps_of_a_time_server_do_not_add_up(boot_seconds: list[float]) -> None:
    for minute in range(100):
        boot_seconds[0] = 1000.0 + 60 * minute
        assert heartbeats.clock_is_true(wall=NOON + timedelta(seconds=62 * minute))


def test_a_jump_forward_holds_until_a_person_has_looked(boot_seconds: list[float]) -> None:
    assert heartbeats.clock_is_true(wall=NOON)
    boot_seconds[0] += 10
    jumped = NOON + timedelta(days=3)
    assert not heartbeats.clock_is_true(wall=jumped)
    assert heartbeats.clock_held_since() == jumped
    boot_seconds[0] += 3600
    assert not heartbeats.clock_is_true(wall=jumped + timedelta(hours=1))

    assert heartbeats.trust_clock() == 1
    assert heartbeats.clock_is_true(wall=jumped + timedelta(hours=1))
    assert heartbeats.clock_held_since() is None


def test_a_clock_that_is_put_right_again_lifts_the_hold(boot_seconds: list[float]) -> None:
    assert heartbeats.clock_is_true(wall=NOON)
    assert not heartbeats.clock_is_true(wall=NOON + timedelta(days=3))
    boot_seconds[0] += 60
    assert heartbeats.clock_is_true(wall=NOON + timedelta(seconds=60))
    assert heartbeats.clock_held_since() is None


def test_a_clock_that_goes_back_is_followed(boot_seconds: list[float]) -> None:
    assert heartbeats.clock_is_true(wall=NOON)
    assert heartbeats.clock_is_true(wall=NOON - timedelta(hours=1))
    assert not heartbeats.clock_is_true(wall=NOON)  # one hour forward is a jump again


def test_a_loop_that_needs_a_true_clock_waits(boot_seconds: list[float]) -> None:
    calls: list[datetime] = []

    def run_once(*, now: datetime, limit: int) -> int:
        calls.append(now)
        return 1

    heartbeats.clock_is_true(wall=NOON)
    jumped = NOON + timedelta(days=3)
    assert runner.drain(Loop("sweep", run_once, true_clock=True), clock=lambda: jumped) == 0
    assert calls == []
    assert runner.drain(Loop("mail", run_once), clock=lambda: jumped) == 1


def test_a_heartbeat_is_one_row_however_often_it_beats() -> None:
    for minute in range(3):
        heartbeats.beat(name="canary", now=NOON + timedelta(minutes=minute))
    assert Heartbeat.objects.get().beat_at == NOON + timedelta(minutes=2)
