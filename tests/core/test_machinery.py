"""The environment, the supervisor's children, and the commands about the machinery itself."""

from __future__ import annotations

import io
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from psycopg2.errors import LockNotAvailable

import manage
from smarketing import celery, env
from smarketing.core import checks, loops, supervisor, tasks
from smarketing.core.children import Child
from smarketing.core.management.commands import prepare
from smarketing.core.queues import QUEUES
from smarketing.embedded import process


def soon(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


# --- environment ------------------------------------------------------------------------------


def test_a_kept_secret_is_made_once_and_only_for_its_owner(monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setattr(env, "HOME", tmp_path)
    made: list[str] = []

    def make() -> str:
        made.append(f"secret {len(made)}")
        return made[-1]

    with ThreadPoolExecutor(8) as threads:
        found = set(threads.map(lambda _n: env.kept("key", make), range(32)))
    assert len(found) == 1
    assert env.kept("key", make) in found
    place = tmp_path / "secret" / "key"
    assert place.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in place.parent.iterdir()] == ["key"]


@pytest.mark.parametrize(
    ("kind", "limits"),
    [
        ("web", "statement_timeout=5s -c lock_timeout=2s -c idle_in_transaction_session_timeout=10s"),
        ("worker", "statement_timeout=60s -c lock_timeout=5s -c idle_in_transaction_session_timeout=30s"),
        ("command", "statement_timeout=0s -c lock_timeout=10s -c idle_in_transaction_session_timeout=0s"),
    ],
)
def test_each_kind_of_process_has_its_limits(monkeypatch: Any, kind: str, limits: str) -> None:
    monkeypatch.setattr(env, "PROCESS", kind)
    found = env.database()
    assert found["OPTIONS"]["options"] == f"-c {limits} -c plan_cache_mode=force_generic_plan"
    assert (found["CONN_MAX_AGE"], found["CONN_HEALTH_CHECKS"], found["ATOMIC_REQUESTS"]) == (60, True, False)


def test_the_web_waits_half_a_second_for_the_broker_and_a_worker_longer(monkeypatch: Any) -> None:
    monkeypatch.setattr(env, "PROCESS", "web")
    assert env.broker_options()["socket_timeout"] == 0.5
    assert env.broker_options()["max_retries"] == 0
    monkeypatch.setattr(env, "PROCESS", "worker")
    assert env.broker_options()["socket_timeout"] == 10


def test_a_named_server_is_not_embedded(monkeypatch: Any) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)
    assert env.embedded() == ["postgres", "valkey"]
    monkeypatch.setenv("DATABASE_URL", "postgres://app@db.example.org/crm")
    assert env.embedded() == ["valkey"]
    assert env.database()["HOST"] == "db.example.org"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("migrate", True),
        ("import leads FILE", True),
        ("check --database default", True),
        ("check", False),
        ("collectstatic --noinput", False),
        ("makemigrations --check", False),
        ("show_wiring", False),
        ("up", False),
        ("import --help", False),
        ("", False),
    ],
)
def test_only_commands_that_talk_to_servers_start_them(line: str, expected: bool) -> None:
    assert manage.needs_servers(line.split()) is expected


# --- database and Celery ----------------------------------------------------------------------


@pytest.mark.django_db
def test_a_database_that_forgets_is_refused() -> None:
    assert checks.durable_database(databases=["default"]) == []
    checks.refuse_forgetful_database()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
    (message,) = checks.durable_database(databases=["default"])
    assert message.id == "core.E001"
    with pytest.raises(CommandError, match="synchronous_commit must be on"):
        checks.refuse_forgetful_database()


def test_a_killed_child_of_the_worker_loses_no_task() -> None:
    found = celery.app.conf
    assert (found.task_acks_late, found.task_reject_on_worker_lost) == (True, True)
    assert found.worker_prefetch_multiplier == 1
    assert found.result_backend is None
    assert found.accept_content == ["json"]


def test_beat_sends_every_loop_at_its_pace_and_the_canary(monkeypatch: Any) -> None:
    loop = loops.Loop("mail", _nothing, every_seconds=2, queue="mail")
    monkeypatch.setattr(loops, "_loops", {"mail": loop})
    plan = celery.schedule()
    assert plan["loop mail"]["schedule"] == 2
    assert plan["loop mail"]["kwargs"] == {"name": "mail"}
    assert plan["loop mail"]["options"] == {"queue": "mail", "expires": 5.0}
    assert plan["canary"]["schedule"] == 60
    assert {task["task"] for task in plan.values()} == {tasks.run_loop.name, tasks.canary.name}


def test_every_registered_loop_runs_on_a_queue_that_is_served() -> None:
    assert {loop.queue for loop in loops.all_loops()} <= set(QUEUES)


def _nothing(*, now: datetime, limit: int) -> int:
    return 0


# --- commands ---------------------------------------------------------------------------------


def test_show_wiring_names_every_loop() -> None:
    output = io.StringIO()
    call_command("show_wiring", stdout=output)
    for loop in loops.all_loops():
        assert loop.name in output.getvalue()


@pytest.mark.django_db
def test_runloops_once_says_what_each_loop_has_handled(monkeypatch: Any) -> None:
    passes = {"first": 3, "second": 0}

    def loop(name: str) -> loops.Loop:
        return loops.Loop(name, lambda *, now, limit: passes[name])

    monkeypatch.setattr(loops, "_loops", {name: loop(name) for name in passes})
    output = io.StringIO()
    call_command("runloops", "--once", stdout=output)
    assert output.getvalue() == "first: 3\nsecond: 0\n"


@pytest.mark.django_db(transaction=True)
def test_a_migration_gives_up_a_lock_soon_and_comes_again(monkeypatch: Any) -> None:
    limits: list[str] = []

    def migrate(*_arguments: object, **_options: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SHOW lock_timeout")
            limits.extend(row[0] for row in cursor.fetchall())
        if len(limits) < 3:
            raise OperationalError("canceling statement due to lock timeout") from LockNotAvailable()

    monkeypatch.setattr(prepare, "call_command", migrate)
    monkeypatch.setattr(prepare.random, "uniform", lambda _least, _most: 0.0)
    prepare.migrate_patiently()
    assert limits == ["500ms"] * 3
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("10s",)


@pytest.mark.django_db(transaction=True)
def test_another_error_of_a_migration_is_not_tried_again(monkeypatch: Any) -> None:
    def migrate(*_arguments: object, **_options: object) -> None:
        raise OperationalError("out of memory")

    monkeypatch.setattr(prepare, "call_command", migrate)
    with pytest.raises(OperationalError, match="out of memory"):
        prepare.migrate_patiently()


def test_up_says_when_its_port_is_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(supervisor.Refused, match=f"can't listen on 127.0.0.1:{port} .* try --port"):
            supervisor.need_free_port("127.0.0.1", port)


def test_up_runs_once_below_a_home(tmp_path: Path) -> None:
    with (
        supervisor.only_one(tmp_path),
        pytest.raises(supervisor.Refused, match="already running"),
        supervisor.only_one(tmp_path),
    ):
        pass


def test_the_state_of_static_sources_is_stable() -> None:
    assert prepare.static_sources() == prepare.static_sources()


# --- children ---------------------------------------------------------------------------------


def child(code: str, log: Path | None = None) -> Child:
    return Child("child", [sys.executable, "-c", code], env=dict(os.environ), cwd=Path.cwd(), log=log)


def test_a_child_that_ends_is_started_again_after_ever_longer_pauses(tmp_path: Path) -> None:
    said: list[str] = []
    short = child("print('ran')", tmp_path / "log")
    short.start()

    def ran_thrice() -> bool:
        short.watch(say=said.append)
        return (tmp_path / "log").read_text().count("ran") >= 3

    began = time.monotonic()
    assert soon(ran_thrice)
    assert time.monotonic() - began >= 0.2 + 0.4
    assert said[0] == "child ended (0); starting it again"
    short.kill()


def test_a_child_that_will_not_stop_is_killed_with_what_it_has_started(tmp_path: Path) -> None:
    stubborn = child(
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "grandchild = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(grandchild.pid, flush=True)\n"
        "time.sleep(60)\n",
        tmp_path / "log",
    )
    stubborn.start()
    assert soon(lambda: (tmp_path / "log").read_text().strip().isdigit())
    grandchild = int((tmp_path / "log").read_text())
    stubborn.ask_to_stop()
    assert not stubborn.stopped(within=0.3)

    def gone() -> bool:
        try:
            return Path(f"/proc/{grandchild}/stat").read_text().split()[2] == "Z"
        except OSError:
            return True

    assert soon(gone)
    assert stubborn.stopped(within=5)


def test_a_child_stops_when_asked() -> None:
    willing = child("import time; time.sleep(60)")
    willing.start()
    willing.ask_to_stop()
    assert willing.stopped(within=10)


# --- processes of the embedded servers --------------------------------------------------------


def test_a_directory_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(process.StartError, match="remove it"):
        process.private_directory(tmp_path / "link", None)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes its user")
def test_a_server_of_root_runs_as_nobody_even_below_closed_directories(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    account = process.server_account()
    assert account is not None
    place = closed / "data"
    process.private_directory(place, account)
    with (closed / "log").open("wb") as log:
        running = process.spawn(
            ["/bin/sh", "-c", "id -u; touch written; ls"],
            account=account,
            cwd=place,
            output=log.fileno(),
            parent_death_signal=signal.SIGKILL,
        )
        assert running.wait(10) == 0
    assert (closed / "log").read_text().split() == [str(account.uid), "written"]
