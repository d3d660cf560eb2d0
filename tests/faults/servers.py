"""The product as real processes, to be killed, frozen and watched.

A fault test starts an :class:`Installation` (``manage.py up`` below a home of its own), puts load on it,
hurts one of its parts, waits until things have settled and lets ``manage.py audit`` say whether every
invariant holds::

    with scenario(home, seed=1) as s:
        s.load(...)
        s.kill("worker")
        s.settle(lambda: s.number("SELECT count(*) FROM …") == 0)
        s.audit()

Everything is a child process; parts are ended by number, never by name. No sleeps: poll with a deadline.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg2

from smarketing.embedded import paths
from smarketing.embedded.servers import Use, used

PROJECT = Path(__file__).resolve().parents[2]
PARTS = ("web", "worker", "beat", "postgres", "valkey")
_SEND_CANARY = "from smarketing.celery import app; app.send_task('smarketing.canary', queue='default')"
_CANARIES = (
    "SELECT coalesce(max(extract(epoch FROM beat_at) * 1e6), 0)::bigint"
    " FROM core_heartbeat WHERE name = 'canary'"
)
_READY = re.compile(r"^ready: (\S+)$", re.MULTILINE)


def environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of a process of that installation, without what the test run has set for itself."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if key not in {"DATABASE_URL", "REDIS_URL", "SMARKETING_TESTING", "SMARKETING_TEST_HOME"}
        and not key.startswith(("PYTEST_", "COV_"))
    }
    return {
        **kept,
        "SMARKETING_HOME": str(home),
        "SMARKETING_DEMO": "1",
        "DJANGO_SETTINGS_MODULE": "smarketing.settings",
        **more,
    }


def wait_for(condition: Callable[[], Any], *, seconds: float = 60.0, what: str = "the condition") -> None:
    """Poll until ``condition`` is true; fail after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {seconds:g} s")
        time.sleep(0.05)


def manage(home: Path, *arguments: str, seconds: float = 120.0) -> str:
    """Run a command of the installation and return what it printed; fail when it fails."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=PROJECT,
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, f"{arguments} failed:\n{done.stdout}\n{done.stderr}"
    return done.stdout


class Installation:
    """One running product below ``home``."""

    def __init__(self, home: Path, *, seed: int = 1, **more: str) -> None:
        self.home = home
        self.random = random.Random(seed)
        self.more = more
        self.address = ""
        self.work = 0
        self._up: subprocess.Popen[bytes] | None = None

    # --- life ---------------------------------------------------------------------------------

    def start(self, *options: str, seconds: float = 180.0) -> None:
        """Start everything and wait until it is ready."""
        output = self.home / "up.log"
        with output.open("wb") as file:
            self._up = subprocess.Popen(
                [sys.executable, "manage.py", "up", "--port", "0", "--concurrency", "1", *options],
                cwd=PROJECT,
                env=environment(self.home, **self.more),
                stdout=file,
                stderr=file,
                start_new_session=True,
            )

        def ready() -> bool:
            assert self.supervisor.poll() is None, output.read_text()
            return _READY.search(output.read_text()) is not None

        wait_for(ready, seconds=seconds, what="ready")
        found = _READY.search(output.read_text())
        assert found is not None
        self.address = found.group(1)

    @property
    def supervisor(self) -> subprocess.Popen[bytes]:
        """The process of ``manage.py up``."""
        assert self._up is not None, "not started"
        return self._up

    def stop(self, sign: signal.Signals = signal.SIGTERM, *, seconds: float = 35.0) -> int:
        """Ask the supervisor to stop everything; its exit status."""
        if self.supervisor.poll() is None:
            self.supervisor.send_signal(sign)
        return self.supervisor.wait(seconds)

    def end(self) -> None:
        """Leave nothing running, whatever the test has done."""
        if self._up is not None and self._up.poll() is None:
            self._up.kill()
            self._up.wait()
        for name in ("postgres", "valkey"):
            Use(name, self.home).stop()
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    # --- parts --------------------------------------------------------------------------------

    def processes(self) -> list[psutil.Process]:
        """Every process that carries this home in its environment or command line."""
        mark, found = str(self.home), []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
                    continue
                named = any(mark in word for word in process.cmdline())
                if named or process.environ().get("SMARKETING_HOME") == mark:
                    found.append(process)
        return found

    def process(self, part: str) -> psutil.Process:
        """The main process of a part (``web worker beat postgres valkey``)."""
        if part == "postgres":
            first = (self.home / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0]
            return psutil.Process(int(first))
        if part == "valkey":
            return psutil.Process(int((self.home / "valkey" / "pid").read_text()))
        word = {"web": "granian", "worker": "worker", "beat": "beat"}[part]
        for child in psutil.Process(self.supervisor.pid).children():
            with contextlib.suppress(psutil.Error):  # ended between the list and the look
                if word in child.cmdline():
                    return child
        raise AssertionError(f"no process of {part}")

    def kill(self, part: str) -> int:
        """``kill -9`` the main process of a part; its number."""
        victim = self.process(part)
        victim.kill()
        return victim.pid

    def kill_pool_child(self) -> int:
        """``kill -9`` the process of the worker that runs tasks; its number."""
        wait_for(lambda: self.process("worker").children(), what="the worker has its pool")
        victim = self.random.choice(self.process("worker").children())
        victim.kill()
        return victim.pid

    def back(self, part: str, *, instead_of: int, seconds: float = 60.0) -> None:
        """Wait until another process has taken the place of the killed one."""

        def replaced() -> bool:
            try:
                return self.process(part).pid != instead_of
            except (AssertionError, OSError, ValueError, psutil.Error):
                return False

        wait_for(replaced, seconds=seconds, what=f"{part} is back")

    @contextlib.contextmanager
    def frozen(self, part: str) -> Iterator[None]:
        """Hold the main process of a part still for the duration of the block."""
        victim = self.process(part)
        victim.suspend()
        try:
            yield
        finally:
            victim.resume()

    # --- looking ------------------------------------------------------------------------------

    def status(self, path: str = "/readyz", *, seconds: float = 5.0) -> int:
        """The HTTP status of a page, or 0 when nobody answers."""
        try:
            with urllib.request.urlopen(f"{self.address}{path}", timeout=seconds) as answer:  # noqa: S310 - our own
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Run SQL over a connection of its own, committed."""
        link = psycopg2.connect(
            host=str(paths.socket_directory(self.home)),
            user=paths.ROLE,
            dbname=paths.DATABASE,
            connect_timeout=5,
        )
        try:
            with link, link.cursor() as cursor:
                cursor.execute(query, parameters)
                return cursor.fetchall() if cursor.description else []
        finally:
            link.close()

    def number(self, query: str, *parameters: Any) -> int:
        """The first value of the first row."""
        return int(self.rows(query, *parameters)[0][0])

    def manage(self, *arguments: str, seconds: float = 120.0) -> str:
        """Run a command of this installation."""
        return manage(self.home, *arguments, seconds=seconds)

    def canary_flies(self, *, seconds: float = 60.0) -> None:
        """Send a message through broker and worker and wait until it has arrived."""
        before = self.number(_CANARIES)
        self.manage("shell", "-c", _SEND_CANARY)
        wait_for(lambda: self.number(_CANARIES) > before, seconds=seconds, what="the canary is home")

    # --- the course of a scenario -------------------------------------------------------------

    def load(self, work: Callable[[], int]) -> None:
        """Do some work; ``work`` returns how much. A scenario without any fails in :meth:`audit`."""
        self.work += work()

    def settle(self, condition: Callable[[], Any], *, timeout: float = 60.0) -> None:
        """Wait until everything has come to rest."""
        wait_for(condition, seconds=timeout, what="rest")

    def audit(self) -> str:
        """Let the product check its own invariants; fail when one is broken or nothing was done."""
        assert self.work > 0, "the scenario did no work, so it shows nothing"
        return self.manage("audit")


def prepared(place: Path) -> Path:
    """A home whose database is migrated, to be copied by :func:`copied`; made once per run."""
    place.mkdir(parents=True)
    manage(place, "prepare", seconds=300)
    with used(["valkey"], place):
        pass
    for name in ("postgres", "valkey"):
        wait_for(lambda name=name: Use(name, place).keeper_pid() is None, what=f"{name} ended")  # type: ignore[misc]
    return place


def copied(template: Path, home: Path) -> Path:
    """A home of its own for one test: what ``template`` holds, with owners and modes."""
    home.mkdir(parents=True)
    for name in ("postgres", "secret", "prepared"):
        subprocess.run(["cp", "-a", str(template / name), str(home / name)], check=True)
    return home


@contextlib.contextmanager
def scenario(home: Path, *, seed: int = 1, **more: str) -> Iterator[Installation]:
    """A started installation, ended in any case. The seed is printed, so that a failure can be repeated."""
    print(f"seed {seed}")  # noqa: T201
    installation = Installation(home, seed=seed, **more)
    try:
        installation.start()
        yield installation
    finally:
        installation.end()
        shutil.rmtree(home / "postgres", ignore_errors=True)
