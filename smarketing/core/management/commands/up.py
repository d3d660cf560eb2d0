"""``manage.py up``: the whole product on one machine, until Ctrl-C or SIGTERM.

Starts the embedded servers (those that the environment does not name), migrates, starts web, worker
and beat, starts again whatever dies, and stops everything in order.
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
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection, connections
from django.db.migrations.executor import MigrationExecutor

from smarketing import env
from smarketing.core import checks, clock, heartbeats
from smarketing.core.children import Child
from smarketing.core.loops import QUEUES
from smarketing.embedded import paths
from smarketing.embedded.process import StartError
from smarketing.embedded.servers import Use, reap

_LOOK_SECONDS = 0.2
_CANARY_LOOK_SECONDS = 15.0
_WORKER_GRACE_SECONDS = 240.0  # a fresh worker has this long to bring its first canary home
_STOP_SECONDS = 25.0


class Command(BaseCommand):
    """Runs the product."""

    help = "Start everything: embedded servers, web, worker and beat. Ctrl-C stops everything."
    requires_system_checks: list[str] = []  # noqa: RUF012 - Django's attribute; run once the database is up

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Where to listen, and whether to fill a fresh database."""
        parser.add_argument("--port", type=int, default=8000, help="0 takes any free port")
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument(
            "--size", choices=["small", "medium"], help="fill a fresh database with demo data"
        )
        parser.add_argument("--fresh", action="store_true", help="throw away all embedded data first")
        parser.add_argument("--workers", type=int, default=2, help="web processes")
        parser.add_argument("--concurrency", type=int, default=2, help="worker processes")

    def handle(self, *_arguments: Any, **options: Any) -> None:
        """Run until asked to stop."""
        with _only_one(env.HOME):
            if options["fresh"]:
                _throw_away(env.HOME)
            Supervisor(options, self.stdout.write).run()


class Supervisor:
    """Parent of web, worker and beat, and user of the embedded servers."""

    def __init__(self, options: dict[str, Any], write: Any) -> None:
        self.options = options
        self.write = write
        self.asked_to_stop = False
        self.uses = [Use(name, env.HOME) for name in env.embedded()]
        self.children: list[Child] = []
        self.port: int = options["port"] or _free_port(options["host"])
        self._canary_looked_at = time.monotonic()
        self._worker_started_at = time.monotonic()

    @property
    def address(self) -> str:
        """Where a browser finds the product."""
        host: str = self.options["host"]
        return f"http://{'127.0.0.1' if host in {'0.0.0.0', '::'} else host}:{self.port}"  # noqa: S104

    def run(self) -> None:
        """Start, watch, stop; raises ``CommandError`` when something can't be started."""
        for sign in (signal.SIGINT, signal.SIGTERM):
            signal.signal(sign, self._stop_soon)
        _need_free_port(self.options["host"], self.port)
        try:
            self._start_servers()
            self._prepare_database()
            self._prepare_static_files()
            connections.close_all()
            self._start_children()
            self._announce()
            while not self.asked_to_stop:
                self._watch()
                time.sleep(_LOOK_SECONDS)
        except StartError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            pass  # asked to stop while still preparing
        finally:
            self._stop()

    def say(self, line: str) -> None:
        """Print a line at once, also into a pipe."""
        self.write(line)
        sys.stdout.flush()

    def _stop_soon(self, _signal: int, _frame: FrameType | None) -> None:
        if self.asked_to_stop:
            return
        self.asked_to_stop = True
        if not self.children:  # still preparing: give up at once, the database rolls back
            raise KeyboardInterrupt

    def _start_servers(self) -> None:
        for use in self.uses:
            use.join()

    def _prepare_database(self) -> None:
        """Migrate, refuse a forgetful server, and fill a fresh database when asked to."""
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self.say("migrating …")
            call_command("migrate", verbosity=0, interactive=False)
        checks.refuse_forgetful_database()
        if self.options["size"] and "demo_data" in get_commands():
            call_command("demo_data", size=self.options["size"], seed=1, if_fresh=True)
            sys.stdout.flush()

    def _prepare_static_files(self) -> None:
        """Collect them where they are served from a collection, once per state of the sources."""
        root = Path(settings.STATIC_ROOT)
        root.mkdir(parents=True, exist_ok=True)
        if not hasattr(staticfiles_storage, "manifest_name"):
            return  # served where they lie
        state, stamp = static_sources(), root / ".sources"
        if not stamp.exists() or stamp.read_text() != state:
            self.say("collecting static files …")
            call_command("collectstatic", verbosity=0, interactive=False, clear=True)
            stamp.write_text(state)

    def _start_children(self) -> None:
        for name, (argv, process) in self._programs().items():
            shown = self.options["verbosity"] > 1
            log = None if shown else paths.log_file(env.HOME, name)
            if log:
                log.parent.mkdir(parents=True, exist_ok=True)
            environment = self._environment(process)
            child = Child(name, [sys.executable, "-m", *argv], env=environment, cwd=env.BASE_DIR, log=log)
            child.start()
            self.children.append(child)

    def _programs(self) -> dict[str, tuple[list[str], str]]:
        """Each child's command line and kind of process."""
        celery = ["celery", "-A", "smarketing.celery"]
        quiet = ["--loglevel", "WARNING"]
        web = ["granian", "--interface", "wsgi", "--no-ws", "--log-level", "warning"]
        web += ["--host", self.options["host"], "--port", str(self.port)]
        web += ["--workers", str(self.options["workers"]), "--blocking-threads", "4"]
        web += ["--respawn-failed-workers", "--respawn-interval", "0.1", "--workers-kill-timeout", "10"]
        worker = [*celery, "worker", *quiet, "--concurrency", str(self.options["concurrency"])]
        worker += ["-Q", ",".join(QUEUES), "--without-mingle", "--without-gossip"]
        return {
            "web": ([*web, "smarketing.wsgi:application"], "web"),
            "worker": (worker, "worker"),
            "beat": ([*celery, "beat", *quiet, "--pidfile="], "worker"),
        }

    def _environment(self, process: str) -> dict[str, str]:
        found = {**os.environ, "PYTHONUNBUFFERED": "1", "SMARKETING_PROCESS": process}
        found.setdefault("SITE_URL", self.address)
        found.setdefault("ALLOWED_HOSTS", f"127.0.0.1,localhost,{self.options['host']}")
        if process == "worker":
            # SIGTERM lets the worker finish its tasks for some seconds, then puts them back.
            found["REMAP_SIGTERM"] = "SIGQUIT"
        return found

    def _announce(self) -> None:
        """Say that the product is ready once it is; restart what dies meanwhile."""
        while not self.asked_to_stop and not _answers(self.address):
            self._watch()
            time.sleep(0.05)
        if not self.asked_to_stop:
            self.say(f"ready: {self.address}")
            self.say(f"logs:  {env.HOME / 'log'}    stop: Ctrl-C")

    def _watch(self) -> None:
        """One look at everything."""
        for child in self.children:
            child.watch(say=self.say)
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
        try:
            late = heartbeats.canary_is_late(now=clock.now())
        except DatabaseError:
            return  # the database is being started again; the worker is not to blame
        finally:
            connections.close_all()
        if late:
            self.say("the worker does not work; starting it again")
            self._worker_started_at = time.monotonic()
            next(child for child in self.children if child.name == "worker").kill()

    def _stop(self) -> None:
        """End web, worker and beat, then the servers they use."""
        if self.children:
            self.say("stopping …")
        for child in self.children:
            child.ask_to_stop()
        deadline = time.monotonic() + _STOP_SECONDS
        for child in self.children:
            child.stopped(within=deadline - time.monotonic())
        for use in self.uses:
            use.stop()


def static_sources() -> str:
    """A digest of name, size and time of every static file that the finders know."""
    state = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            found = os.stat(storage.path(name))
            state.update(f"{name} {found.st_size} {found.st_mtime_ns}\n".encode())
    return state.hexdigest()


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def _need_free_port(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(f"can't listen on {host}:{port} ({error.strerror}); try --port") from error


def _answers(address: str) -> bool:
    """Whether the product says that it is ready."""
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=3):  # noqa: S310 - our own address
            return True
    except urllib.error.HTTPError as error:
        return error.code == 404  # a build without that page: any answer will do
    except OSError:
        return False


@contextlib.contextmanager
def _only_one(home: Path) -> Any:
    """Refuse a second supervisor below the same home."""
    place = paths.lock_file(home, "up")
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CommandError(f"already running below {home}") from error
        yield


def _throw_away(home: Path) -> None:
    """Remove the data of the embedded servers; keys and logs stay."""
    for name in env.embedded():
        shutil.rmtree(home / name, ignore_errors=True)
