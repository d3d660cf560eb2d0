"""A worker that lives and does not work is started again (F-35, I-24); the pauses are those of production."""

from __future__ import annotations

import argparse

import pytest

from smarketing.core import supervisor
from smarketing.core.supervisor import Supervisor


class Worker:
    """Counts how often it was killed; the supervisor starts a killed child again."""

    kills = 0

    def kill(self) -> None:
        self.kills += 1


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> tuple[Supervisor, Worker, dict[str, float | None]]:
    """A supervisor that has just started its worker, and what it looks at: time, the canary's age."""
    world: dict[str, float | None] = {"now": 1000.0, "age": 0.0}
    monkeypatch.setattr(supervisor.time, "monotonic", lambda: world["now"])
    monkeypatch.setattr(supervisor, "canary_age", lambda: world["age"])
    monkeypatch.setattr(supervisor, "say", lambda _line: None)
    options = argparse.Namespace(host="127.0.0.1", port=1, workers=1, concurrency=1, size=None, logs=False)
    watching, worker = Supervisor(options), Worker()
    watching.children["worker"] = worker  # type: ignore[assignment]
    return watching, worker, world


def test_a_deaf_worker_is_killed_once_its_canary_is_three_minutes_late(watch) -> None:
    watching, worker, world = watch
    world["now"] += 300.0
    world["age"] = 179.0
    watching._look_at_canary()
    assert worker.kills == 0
    world["age"] = 181.0
    watching._look_at_canary()
    assert worker.kills == 1
    watching._look_at_canary()  # the fresh one has its time to bring a canary home
    world["now"] += 239.0
    watching._look_at_canary()
    assert worker.kills == 1
    world["now"] += 2.0
    watching._look_at_canary()
    assert worker.kills == 2


def test_a_fresh_worker_and_an_absent_database_are_not_to_blame(watch) -> None:
    watching, worker, world = watch
    world["age"] = 10_000.0
    watching._look_at_canary()
    world["now"] += 300.0
    world["age"] = None
    watching._look_at_canary()
    assert worker.kills == 0
