"""What every scenario stands on: databases of its own, stop-watches with CPU seconds, the report.

The embedded servers run with the settings of production (fsync, full_page_writes and
synchronous_commit on), below ``bench/out/home``. A scenario measures the product and its limit in the
same run; the report prints medians, spreads and the ratio, which holds where absolute figures do not.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import resource
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psycopg2
from django.core.management import call_command
from django.db import connection

from smarketing.embedded import paths

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "bench" / "out"
HOME = OUT / "home"
_TICKS = os.sysconf("SC_CLK_TCK")
_READY_SECONDS = 60.0


def environment() -> dict[str, str]:
    """Variables of this process and the web's: production settings, no limit on one token's requests."""
    return {
        "DJANGO_SETTINGS_MODULE": "smarketing.settings",
        "SMARKETING_HOME": str(HOME),
        "API_REQUESTS_PER_MINUTE": "10000000",
        "DEBUG": "false",
    }


@dataclass(frozen=True, slots=True)
class Plan:
    """What the command line asked for."""

    sizes: Sequence[int]
    reps: int
    events: int


# --- databases ------------------------------------------------------------------------------


def dsn(name: str) -> str:
    """How libpq reaches the database called ``name``."""
    return f"host={paths.socket_directory(HOME)} user={paths.ROLE} dbname={name}"


def _administer(statement: str) -> list[tuple[Any, ...]]:
    link = psycopg2.connect(dsn(paths.DATABASE))
    link.autocommit = True
    try:
        with link.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []
    finally:
        link.close()


def exists(name: str) -> bool:
    """Whether there is a database of that name."""
    return bool(_administer(f"SELECT 1 FROM pg_database WHERE datname = '{name}'"))


def drop(name: str) -> None:
    """Forget a database."""
    connection.close()
    _administer(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def copy_of(template: str, name: str) -> None:
    """Make ``name`` afresh as a copy of ``template`` and work in it."""
    drop(name)
    _administer(f"CREATE DATABASE {name} TEMPLATE {template}")
    use(name)


def rename(name: str, to: str) -> None:
    """Give a finished database its name."""
    connection.close()
    _administer(f"ALTER DATABASE {name} RENAME TO {to}")


def use(name: str) -> None:
    """Let Django work in that database."""
    connection.close()
    connection.settings_dict["NAME"] = name


def state_of_migrations() -> str:
    """A digest of every migration: a template lives as long as it stays the same."""
    digest = hashlib.sha256()
    for file in sorted([*ROOT.glob("*/migrations/*.py"), *ROOT.glob("*/*/migrations/*.py")]):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:8]


def base() -> str:
    """The name of the migrated, otherwise empty database; made when there is none."""
    name = f"bench_base_{state_of_migrations()}"
    if not exists(name):
        drop("bench_new")
        _administer("CREATE DATABASE bench_new")
        use("bench_new")
        call_command("prepare", stdout=sys.stderr)
        rename("bench_new", name)
    return name


# --- measuring ------------------------------------------------------------------------------


def _stat(pid: int) -> tuple[int, float]:
    """Parent and CPU seconds of a process, with those of its children that have ended."""
    text = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(text[1]), sum(int(ticks) for ticks in text[11:15]) / _TICKS


def cpu_of_tree(root: int) -> float:
    """CPU seconds of a process and all below it."""
    seconds: dict[int, float] = {}
    below: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent, spent = _stat(int(entry.name))
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has just ended; its parent carries its seconds
            seconds[int(entry.name)] = spent
            below.setdefault(parent, []).append(int(entry.name))
    total, todo = 0.0, [root]
    while todo:
        pid = todo.pop()
        total += seconds.get(pid, 0.0)
        todo += below.get(pid, [])
    return total


def _postmaster() -> int:
    return int((HOME / "postgres" / "postmaster.pid").read_text().splitlines()[0])


def _own_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


@dataclass(frozen=True, slots=True)
class Timed:
    """One repetition: wall seconds and CPU seconds of client, web and PostgreSQL."""

    count: int
    seconds: float
    client: float
    web: float
    postgres: float

    @property
    def cpu(self) -> float:
        """All CPU seconds."""
        return self.client + self.web + self.postgres


@dataclass(slots=True)
class Series:
    """Repetitions of one piece of work."""

    name: str
    unit: str
    runs: list[Timed] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Median of units per second."""
        return statistics.median(run.count / run.seconds for run in self.runs)

    @property
    def per_cpu(self) -> float:
        """Median of units per CPU second, everything included."""
        return statistics.median(run.count / run.cpu if run.cpu else 0.0 for run in self.runs)

    @property
    def spread(self) -> float:
        """(slowest - fastest) / median of the time per unit."""
        each = [run.seconds / run.count for run in self.runs]
        return (max(each) - min(each)) / statistics.median(each)

    @property
    def milliseconds(self) -> float:
        """Median of milliseconds per unit."""
        return 1000 / self.rate

    def cpu_shares(self) -> dict[str, float]:
        """Median CPU seconds by who spent them."""
        middle = statistics.median
        return {
            "client": round(middle(run.client for run in self.runs), 3),
            "web": round(middle(run.web for run in self.runs), 3),
            "postgres": round(middle(run.postgres for run in self.runs), 3),
        }


def measure(
    name: str,
    unit: str,
    work: Callable[[], int],
    *,
    reps: int,
    before: Callable[[], None] | None = None,
    web: int | None = None,
) -> Series:
    """Do ``work`` ``reps`` times; it returns how many units it did. ``before`` is not measured."""
    series = Series(name, unit)
    for _number in range(reps):
        if before is not None:
            before()
        server = _postmaster()
        began = (_own_cpu(), cpu_of_tree(web) if web else 0.0, cpu_of_tree(server), time.perf_counter())
        count = work()
        seconds = time.perf_counter() - began[3]
        series.runs.append(
            Timed(
                count=count,
                seconds=seconds,
                client=_own_cpu() - began[0],
                web=(cpu_of_tree(web) if web else 0.0) - began[1],
                postgres=cpu_of_tree(server) - began[2],
            )
        )
        print(f"{name}: {count / seconds:,.1f} {unit}/s", file=sys.stderr, flush=True)
    return series


# --- the web process ------------------------------------------------------------------------


@contextmanager
def web_process(
    database: str, *, application: str = "smarketing.wsgi:application"
) -> Iterator[tuple[str, int]]:
    """The product's web server as ``manage.py up`` starts it, on ``database``: its address and process."""
    port = _free_port()
    address = f"http://127.0.0.1:{port}"
    url = f"postgres://{paths.ROLE}@/{database}?host={paths.socket_directory(HOME)}"
    more = {"DATABASE_URL": url, "SITE_URL": address, "SMARKETING_PROCESS": "web", "LOG_LEVEL": "ERROR"}
    argv = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws", "--log-level", "error"),
        *("--host", "127.0.0.1", "--port", str(port), "--workers", "2", "--blocking-threads", "64"),
        application,
    ]
    with (OUT / "web.log").open("ab") as log:
        child = subprocess.Popen(argv, cwd=ROOT, env={**os.environ, **more}, stdout=log, stderr=log)
    try:
        _wait_until_ready(f"{address}/readyz", child)
        yield address, child.pid
    finally:
        child.terminate()
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(address: str, child: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline and child.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"the web did not become ready; see {OUT / 'web.log'}")


# --- the report -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ratio:
    """The product in proportion to a limit or a peer. ``floor`` and ``target`` are performance goals.

    ``at_most`` is for proportions of time, where less is better.
    """

    what: str
    value: float
    floor: float | None = None
    target: float | None = None
    at_most: bool = False

    @property
    def verdict(self) -> str:
        """Whether floor and target are met."""
        for name in ("target", "floor"):
            goal = getattr(self, name)
            if goal is not None and (self.value <= goal if self.at_most else self.value >= goal):
                return f"meets the {name}"
        return "" if self.floor is None and self.target is None else "BELOW the goal"


@dataclass(slots=True)
class Report:
    """What a scenario found."""

    scenario: str
    plan: Plan
    series: list[Series] = field(default_factory=list)
    ratios: list[Ratio] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def missed(self) -> bool:
        """Whether a floor was missed."""
        return any(r.floor is not None and r.verdict.startswith("BELOW") for r in self.ratios)

    def as_json(self) -> str:
        """Everything, for programs."""
        return json.dumps(
            {
                "scenario": self.scenario,
                "machine": machine(),
                "plan": asdict(self.plan),
                "series": [
                    {
                        "name": s.name, "unit": s.unit, "per_second": s.rate, "per_cpu_second": s.per_cpu,
                        "spread": s.spread, "cpu_seconds": s.cpu_shares(),
                        "runs": [asdict(r) for r in s.runs],
                    }
                    for s in self.series
                ],
                "ratios": [{**asdict(r), "verdict": r.verdict} for r in self.ratios],
                "facts": self.facts,
                "notes": self._notes(),
            },
            indent=2,
        )  # fmt: skip

    def as_text(self) -> str:
        """A table for people."""
        lines = [f"{self.scenario}: {', '.join(f'{k} {v}' for k, v in machine().items())}"]
        lines += [f"  {key}: {value}" for key, value in self.facts.items()]
        lines.append(
            f"\n  {'work':<58}{'per s':>12}{'ms each':>10}{'spread':>8}{'per CPU-s':>11}  CPU seconds"
        )
        for s in self.series:
            spent = " ".join(f"{who} {seconds:.2f}" for who, seconds in s.cpu_shares().items() if seconds)
            lines.append(
                f"  {s.name:<58}{s.rate:>12,.1f}{s.milliseconds:>10.3f}{s.spread:>8.0%}"
                f"{s.per_cpu:>11,.1f}  {spent}"
            )
        lines.append("")
        for r in self.ratios:
            goals = " ".join(f"{n} {g:g}" for n, g in (("floor", r.floor), ("target", r.target)) if g)
            lines.append(f"  {r.what:<72}{r.value:>9.3g}  {goals}  {r.verdict}")
        return "\n".join([*lines, *(f"  note: {note}" for note in self._notes())])

    def _notes(self) -> list[str]:
        few = [f"{self.plan.reps} repetition(s) instead of 3"] if self.plan.reps < 3 else []
        return [*few, *self.notes]


def machine() -> dict[str, str]:
    """What the figures were measured on."""
    server = _administer("SELECT current_setting('server_version'), current_setting('fsync'), "
                         "current_setting('synchronous_commit')")[0]  # fmt: skip
    return {
        "date": time.strftime("%Y-%m-%d"),
        "cpus": f"{os.cpu_count()} ({_cpu_name()})",
        "load": f"{os.getloadavg()[0]:.1f}",
        "python": platform.python_version(),
        "postgres": f"{server[0]} fsync={server[1]} synchronous_commit={server[2]}",
    }


def _cpu_name() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
