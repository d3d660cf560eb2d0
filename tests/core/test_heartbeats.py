"""Signs of life and jumps of the clock (F-16)."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.test import Client

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


def test_a_person_sees_the_hold_and_lifts_it(boot_seconds: list[float]) -> None:
    heartbeats.clock_is_true(wall=NOON)
    heartbeats.clock_is_true(wall=NOON + timedelta(days=3))
    output = io.StringIO()
    call_command("clocks", stdout=output)
    assert "Held since 2026-03-05 12:00:00 UTC" in output.getvalue()
    assert "clocks" in output.getvalue()
    call_command("clocks", "resume", stdout=output)
    assert "Resumed" in output.getvalue()
    assert heartbeats.clock_held_since() is None
    call_command("clocks", stdout=output)
    assert output.getvalue().endswith("The clock is trusted; nothing is held.\n")


def test_health_tells_of_a_held_clock(boot_seconds: list[float], client: Client) -> None:
    heartbeats.clock_is_true(wall=NOON)
    heartbeats.clock_is_true(wall=NOON + timedelta(days=3))
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert "clock" in answer.json()["late"]
    assert answer.json()["clock_held_since"] == "2026-03-05T12:00:00+00:00"
