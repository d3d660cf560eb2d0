"""What was accepted survives the death of every part: I-1, I-2, I-4 under F-1, F-3, F-4, F-7, F-9, F-24."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import psutil
import pytest
import redis

from smarketing.embedded import paths
from tests.faults.senders import Crowd, applied, check_promises, server_key
from tests.faults.servers import Installation, scenario, wait_for

pytestmark = pytest.mark.fault


def more(crowd: Crowd, count: int = 20) -> None:
    """Wait until so many more messages are promised."""
    goal = len(crowd.promised) + count
    wait_for(lambda: len(crowd.promised) >= goal, seconds=60, what=f"{count} more promises")


def finish(s: Installation, *crowds: Crowd) -> None:
    s.load(lambda: sum(len(crowd.promised) for crowd in crowds))
    s.settle(lambda: applied(s), timeout=120)
    check_promises(s, *crowds)
    s.audit()


def test_kills_of_web_and_worker_lose_no_promise(home: Path) -> None:
    """F-1 and F-3."""
    with scenario(home, seed=13) as s:
        crowd = Crowd(s.address, server_key(s), clients=8, batch=3)
        with crowd.sending():
            more(crowd)
            for _ in range(3):
                s.back("worker", instead_of=s.kill("worker"))
                more(crowd)
                workers = s.process("web").children()
                s.random.choice(workers).kill()
                more(crowd)
            s.back("web", instead_of=s.kill("web"))
            more(crowd)
        finish(s, crowd)


def test_crashes_of_the_database_lose_no_promise_and_are_answered_503(home: Path) -> None:
    """F-4: two immediate shutdowns; nobody hears another 5xx."""
    with scenario(home, seed=4) as s:
        crowd = Crowd(s.address, server_key(s), clients=8)
        with crowd.sending():
            for _ in range(2):
                more(crowd)
                former = s.process("postgres")
                former.send_signal(signal.SIGQUIT)
                s.back("postgres", instead_of=former.pid)
            more(crowd)
        finish(s, crowd)


def test_the_broker_may_die_and_forget_everything(home: Path) -> None:
    """F-7 and F-9: beat and the inbox itself find the work."""
    with scenario(home, seed=7) as s:
        crowd = Crowd(s.address, server_key(s), clients=4, batch=5)
        with crowd.sending():
            more(crowd)
            s.back("valkey", instead_of=s.kill("valkey"))
            more(crowd)
            for _ in range(5):
                redis.Redis(unix_socket_path=str(paths.valkey_socket(home))).flushall()
                more(crowd)
        finish(s, crowd)


def test_a_burst_is_taken_in_and_worked_off(home: Path) -> None:
    """F-24: eighty clients at once. The time is printed; on a shared machine it proves nothing."""
    with scenario(home, seed=24) as s:
        crowd = Crowd(s.address, server_key(s), clients=80)
        with crowd.sending():
            until = time.monotonic() + 10
            wait_for(lambda: time.monotonic() > until, seconds=30)
        print(f"{len(crowd.promised)} promises, p99 {crowd.percentile(0.99) * 1000:.0f} ms, {crowd.statuses}")  # noqa: T201
        assert set(crowd.statuses) == {200}
        finish(s, crowd)


def test_a_stop_answers_everybody_it_has_heard(home: Path) -> None:
    """F-34: SIGTERM while requests wait for their commit, and while the worker is at the backlog."""
    with scenario(home, seed=2) as s:
        crowd = Crowd(s.address, server_key(s), clients=8)
        with crowd.sending():
            more(crowd)
            web = s.process("web")
            psutil.Process(web.pid).terminate()
            s.back("web", instead_of=web.pid)
            more(crowd)
            worker, began = s.process("worker"), time.monotonic()
            psutil.Process(worker.pid).terminate()
            s.back("worker", instead_of=worker.pid)
            assert time.monotonic() - began < 30
            more(crowd)
        finish(s, crowd)
