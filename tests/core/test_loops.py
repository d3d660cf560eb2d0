"""Loops are nudged after commit, at most once each, and a failing broker costs one try."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
from django.db import transaction

from smarketing.core import loops, runner
from smarketing.core.loops import Loop, Sender


class Broker:
    """Takes nudges, or fails as a broker does."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.frozen = False
        self.tries = 0

    def __call__(self, loop: Loop) -> None:
        self.tries += 1
        if self.frozen:
            raise TimeoutError("no answer")
        self.taken.append(loop.name)


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    broker = Broker()
    sender = Sender(pause_seconds=60)
    sender.send = broker
    monkeypatch.setattr(loops, "sender", sender)
    monkeypatch.setattr(loops, "_loops", {name: Loop(name, _idle) for name in ("clocks", "outbox")})
    return broker


def _idle(*, now: datetime, limit: int) -> int:
    return 0


@pytest.mark.django_db(transaction=True)
def test_a_nudge_leaves_only_after_the_commit(broker: Broker) -> None:
    with transaction.atomic():
        loops.nudge("clocks")
        assert broker.taken == []
    assert broker.taken == ["clocks"]


@pytest.mark.django_db(transaction=True)
def test_a_transaction_nudges_each_loop_once(broker: Broker) -> None:
    with transaction.atomic():
        for name in ("clocks", "outbox", "clocks", "clocks"):
            loops.nudge(name)
    assert broker.taken == ["clocks", "outbox"]


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_savepoint_takes_only_its_own_nudge_along(broker: Broker) -> None:
    with transaction.atomic():
        with transaction.atomic():
            loops.nudge("clocks")
            transaction.set_rollback(True)
        loops.nudge("clocks")
    assert broker.taken == ["clocks"]


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_transaction_nudges_nobody(broker: Broker) -> None:
    with transaction.atomic():
        loops.nudge("clocks")
        transaction.set_rollback(True)
    assert broker.tries == 0


@pytest.mark.django_db(transaction=True)
def test_a_frozen_broker_costs_one_try_and_no_error(broker: Broker) -> None:
    broker.frozen = True
    for _request in range(5):
        with transaction.atomic():
            loops.nudge("clocks")
    assert broker.tries == 1
    assert (loops.sender.sent, loops.sender.failed, loops.sender.skipped) == (0, 1, 4)


def test_nudges_flow_again_after_the_pause(broker: Broker) -> None:
    loops.sender.pause_seconds = 0
    broker.frozen = True
    loops.sender("clocks")
    broker.frozen = False
    loops.sender("clocks")
    assert broker.taken == ["clocks"]


@pytest.mark.django_db
def test_a_nudge_of_an_unknown_loop_is_a_mistake(broker: Broker) -> None:
    with pytest.raises(KeyError):
        loops.nudge("no such loop")


def test_draining_stops_at_the_first_pass_that_is_not_full() -> None:
    passes = [500, 500, 12, 500]
    seen: list[datetime] = []

    def run_once(*, now: datetime, limit: int) -> int:
        seen.append(now)
        return passes[len(seen) - 1]

    ticks = iter(datetime.fromisoformat(f"2026-03-02T09:00:0{second}+00:00") for second in range(9))
    assert runner.drain(Loop("demo", run_once), clock=lambda: next(ticks)) == 1012
    assert [now.second for now in seen] == [0, 1, 2]  # each pass at its own instant


def test_draining_ends_when_its_time_is_up() -> None:
    def run_once(*, now: datetime, limit: int) -> int:
        return limit

    loop = Loop("demo", run_once, limit=7)
    assert (
        runner.drain(loop, clock=lambda: datetime.fromisoformat("2026-03-02T09:00:00+00:00"), seconds=0) == 7
    )
