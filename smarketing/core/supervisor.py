"""The parent of the whole product on one machine; ``manage.py up`` runs it.

It starts the embedded servers (those that the environment does not name), has ``manage.py prepare``
bring the database up to date, starts web, worker and beat, starts again whatever dies, and stops
everything in order. It never loads Django itself: that would double the time of a start, and a parent
should be too simple to fail.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import psycopg2

from smarketing import env
from smarketing.core.children import Child
from smarketing.core.queues import QUEUES
from smarketing.embedded import paths
from smarketing.embedded.process import StartError
from smarketing.embedded.servers import Use, join_all, reap

_LOOK_SECONDS = 0.2
_CANARY_LOOK_SECONDS = 15.0
_CANARY_LATE_SECONDS = 180.0
_WORKER_GRACE_SECONDS = 240.0  # a fresh worker has this long to bring its first canary home
_STOP_SECONDS = 25.0
_PREPARE_AGAIN_SECONDS = 30.0
_CANARY_AGE = "SELECT extract(epoch FROM now() - beat_at) FROM core_heartbeat WHERE name = 'canary'"


class Refused(Exception):
    """The product can't be started; the message says why and what to do."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where to listen, and whether to fill a fresh database."""
    parser.add_argument("--port", type=int, default=8000, help="0 takes any free port")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--size", choices=["small", "medium"], help="fill a fresh database with demo data")
    parser.add_argument("--fresh", action="store_true", help="throw away all embedded data first")
    parser.add_argument("--workers", type=int, default=2, help="web processes")
    parser.add_argument("--concurrency", type=int, default=2, help="worker processes")
    parser.add_argument("--logs", action="store_true", help="show all output here, not in files")


def main(arguments: list[str]) -> int:
    """Run the product until it is asked to stop; the exit status."""
    parser = argparse.ArgumentParser("manage.py up", description="Start everything; Ctrl-C stops everything.")
    add_arguments(parser)
    options = parser.parse_args(arguments)
    try:
        with only_one(env.HOME):
            if options.fresh:
                throw_away(env.HOME)
            Supervisor(options).run()
    except (Refused, StartError) as error:
        print(f"manage.py up: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


class Supervisor:
    """Parent of web, worker and beat, and user of the embedded servers."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.asked_to_stop = False
        self.uses = [Use(name, env.HOME) for name in env.embedded()]
        self.port: int = options.port or free_port(options.host)
        self.children = {name: self._child(name) for name in ("web", "worker", "beat")}
        self.running: list[Child] = []
        self._preparing: subprocess.Popen[bytes] | None = None
        self._canary_looked_at = self._worker_started_at = time.monotonic()

    @property
    def address(self) -> str:
        """Where a browser finds the product."""
        host = self.options.host
        return f"http://{'127.0.0.1' if host in {'0.0.0.0', '::'} else host}:{self.port}"  # noqa: S104

    def run(self) -> None:
        """Start, watch, stop. Raises :class:`Refused` and ``StartError``."""
        for sign in (signal.SIGINT, signal.SIGTERM):
            signal.signal(sign, self._stop_soon)
        need_free_port(self.options.host, self.port)
        try:
            greeting = greeting_if_prepared(self.options.size)
            if greeting is not None:
                self._start("web")  # it loads the program while its servers start
            join_all(self.uses)
            if greeting is None:
                self._prepare()
            elif greeting:
                say(greeting)
            if not self.asked_to_stop:
                self._start("web")
                self._wait_until_ready()
            if not self.asked_to_stop:
                self._start("worker", "beat")
                say(f"ready: {self.address}")
                say(f"logs:  {env.HOME / 'log'}    stop: Ctrl-C")
            while not self.asked_to_stop:
                self._watch()
                time.sleep(_LOOK_SECONDS)
        finally:
            self._stop()

    def _stop_soon(self, _signal: int, _frame: FrameType | None) -> None:
        self.asked_to_stop = True

    def _start(self, *names: str) -> None:
        for name in names:
            child = self.children[name]
            if child not in self.running:
                child.start()
                self.running.append(child)

    def _prepare(self) -> None:
        """Have the database and the static files brought up to date, by a process with Django."""
        size = ["--size", self.options.size] if self.options.size else []
        self._preparing = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "manage.py", "prepare", *size],
            cwd=env.BASE_DIR,
            env=self._environment("command"),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        while self._preparing.poll() is None and not self.asked_to_stop:
            self._watch()
            time.sleep(0.05)
        if self._preparing.poll() is None:
            self._preparing.terminate()  # the database rolls back
            self._preparing.wait()
        elif self._preparing.returncode != 0:
            raise Refused("the database could not be prepared; see above")

    def _wait_until_ready(self) -> None:
        """The web says no while a migration is missing, so that a wrong note of an earlier run is noticed."""
        again_at = time.monotonic() + _PREPARE_AGAIN_SECONDS
        while not self.asked_to_stop and not answers(f"{self.address}/readyz"):
            self._watch()
            time.sleep(0.05)
            if time.monotonic() > again_at:
                self._prepare()
                again_at = float("inf")

    def _child(self, name: str) -> Child:
        argv = [sys.executable, "-m", *getattr(self, f"_{name}_program")()]
        log = None if self.options.logs else paths.log_file(env.HOME, name)
        if log:
            log.parent.mkdir(parents=True, exist_ok=True)
        environment = self._environment("web" if name == "web" else "worker")
        return Child(name, argv, env=environment, cwd=env.BASE_DIR, log=log)

    def _web_program(self) -> list[str]:
        listen = ["--host", self.options.host, "--port", str(self.port)]
        # Most threads only wait for a commit that tracking requests share; pages have PAGE_THREADS.
        crew = ["--workers", str(self.options.workers), "--blocking-threads", "64"]
        care = ["--respawn-failed-workers", "--respawn-interval", "0.1", "--workers-kill-timeout", "10"]
        return [
            *("granian", "--interface", "wsgi", "--no-ws", "--log-level", "warning"),
            *(*listen, *crew, *care, "smarketing.wsgi:application"),
        ]

    def _worker_program(self) -> list[str]:
        crew = ["--concurrency", str(self.options.concurrency), "-Q", ",".join(QUEUES)]
        alone = ["--without-mingle", "--without-gossip"]
        return ["celery", "-A", "smarketing.celery", "worker", "--loglevel", "WARNING", *crew, *alone]

    def _beat_program(self) -> list[str]:
        return ["celery", "-A", "smarketing.celery", "beat", "--loglevel", "WARNING", "--pidfile="]

    def _environment(self, process: str) -> dict[str, str]:
        found = {**os.environ, "PYTHONUNBUFFERED": "1", "SMARKETING_PROCESS": process}
        found.setdefault("DJANGO_SETTINGS_MODULE", "smarketing.settings")
        found.setdefault("SITE_URL", self.address)
        found.setdefault("ALLOWED_HOSTS", f"127.0.0.1,localhost,{self.options.host}")
        if process == "worker":
            # SIGTERM lets the worker finish its tasks for some seconds, then puts them back.
            found["REMAP_SIGTERM"] = "SIGQUIT"
        return found

    def _watch(self) -> None:
        """One look at everything."""
        for child in self.running:
            child.watch(say=say)
        reap()
        for use in self.uses:
            with contextlib.suppress(StartError):  # tried again at the next look
                use.ensure()
        if time.monotonic() - self._canary_looked_at > _CANARY_LOOK_SECONDS:
            self._canary_looked_at = time.monotonic()
            self._look_at_canary()

    def _look_at_canary(self) -> None:
        """Start a worker again that lives but does not work (I-24)."""
        if time.monotonic() - self._worker_started_at < _WORKER_GRACE_SECONDS:
            return
        age = canary_age()
        if age is not None and age > _CANARY_LATE_SECONDS:
            say("the worker does not work; starting it again")
            self._worker_started_at = time.monotonic()
            self.children["worker"].kill()

    def _stop(self) -> None:
        """End web, worker and beat, then the servers they use."""
        say("stopping …")
        for child in self.running:
            child.ask_to_stop()
        deadline = time.monotonic() + _STOP_SECONDS
        for child in self.running:
            child.stopped(within=deadline - time.monotonic())
        for use in self.uses:
            use.stop()


def say(line: str) -> None:
    """Print a line at once, also into a pipe; a reader that has gone does not matter."""
    with contextlib.suppress(BrokenPipeError):
        print(line, flush=True)  # noqa: T201


def note_prepared(size: str | None, greeting: str) -> None:
    """Remember that database and static files fit the code, so that the next start need not look."""
    (env.HOME / "prepared").write_text(f"{_state(size)}\n{greeting}")


def greeting_if_prepared(size: str | None) -> str | None:
    """What to tell people when nothing has changed since the last preparation, else ``None``.

    Only for the demo on its embedded database, which nobody else can have changed and whose static files
    are served where they lie.
    """
    note = env.HOME / "prepared"
    if (
        not env.DEMO
        or "postgres" not in env.embedded()
        or not (env.HOME / "postgres").exists()
        or not note.exists()
    ):
        return None
    state, _newline, greeting = note.read_text().partition("\n")
    return greeting if state == _state(size) else None


def _state(size: str | None) -> str:
    """A digest of the packages and migrations that a prepared database belongs to."""
    state = hashlib.sha256(str(size).encode())
    migrations = [*env.BASE_DIR.glob("*/migrations/*.py"), *env.BASE_DIR.glob("*/*/migrations/*.py")]
    for file in [env.BASE_DIR / "requirements.txt", *sorted(migrations)]:
        state.update(file.relative_to(env.BASE_DIR).as_posix().encode() + file.read_bytes())
    return state.hexdigest()


def canary_age() -> float | None:
    """Seconds since a message has last come through, or ``None`` when that can't be told."""
    found = env.database()
    address = {
        name: found[name.upper()] for name in ("host", "port", "user", "password") if found[name.upper()]
    }
    try:
        # The options may name the host, too: a socket's directory can't stand in the host of an URL.
        link = psycopg2.connect(**{**address, "dbname": found["NAME"], **found["OPTIONS"]})
    except psycopg2.OperationalError:
        return None  # the database is being started again; the worker is not to blame
    try:
        with link.cursor() as cursor:
            cursor.execute(_CANARY_AGE)
            row = cursor.fetchone()
            return None if row is None else float(row[0])
    except psycopg2.Error:
        return None
    finally:
        link.close()


def free_port(host: str) -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def need_free_port(host: str, port: int) -> None:
    """Raise :class:`Refused` when somebody listens there already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Refused(f"can't listen on {host}:{port} ({error.strerror}); try --port") from error


def answers(address: str) -> bool:
    """Whether the page answers with success."""
    try:
        with urllib.request.urlopen(address, timeout=3):  # noqa: S310 - our own address
            return True
    except OSError:
        return False


@contextlib.contextmanager
def only_one(home: Path) -> Iterator[None]:
    """Refuse a second supervisor below the same home."""
    place = paths.lock_file(home, "up")
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Refused(f"already running below {home}") from error
        yield


def throw_away(home: Path) -> None:
    """Remove the data of the embedded servers; keys and logs stay. Other users of them are cut off."""
    for name in env.embedded():
        Use(name, home).stop()
        shutil.rmtree(home / name, ignore_errors=True)
    (home / "prepared").unlink(missing_ok=True)
