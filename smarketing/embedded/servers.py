"""Joins the embedded servers: whoever needs them calls ``join`` and, at the end, ``leave``.

The first to join starts a keeper for the server; everybody holds a shared lock while using it, and
the keeper stops the server when the last lock is gone.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from smarketing.embedded import paths
from smarketing.embedded.process import StartError

PROJECT = Path(__file__).resolve().parents[2]
_START_SECONDS = 90.0


class Use:
    """This process' use of one server."""

    def __init__(self, name: str, home: Path) -> None:
        self.name = name
        self.home = home
        self._lock = -1

    def join(self) -> None:
        """Hold the server in use and have it running; raises ``StartError``."""
        with self._alone():
            users = self._open("users")
            # Waits while a keeper that found no users stops its server; we then start a new one.
            fcntl.flock(users, fcntl.LOCK_SH)
            self._lock = users
            try:
                self._need_keeper()
            except BaseException:
                self.leave()
                raise

    def ensure(self) -> None:
        """Start a new keeper when the present one was killed; raises ``StartError``."""
        if self.keeper_pid() is None:
            with self._alone():
                self._need_keeper()

    def leave(self) -> None:
        """Stop using the server."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def stop(self, *, seconds: float = 25.0) -> None:
        """Stop using the server and end it, whoever else uses it; wait for its end."""
        pid = self.keeper_pid()
        self.leave()
        deadline = time.monotonic() + seconds
        if pid:  # not 0 either, which would mean our own process group
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        while self.keeper_pid() is not None and time.monotonic() < deadline:
            time.sleep(0.05)

    def keeper_pid(self) -> int | None:
        """The process number of the server's keeper, ``None`` without one, 0 while it has not told it yet."""
        lock = self._open("keeper")
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            written = os.pread(lock, 20, 0).decode()
            return int(written) if written.isdigit() else 0
        else:
            return None
        finally:
            os.close(lock)

    def _need_keeper(self) -> None:
        if self.keeper_pid() is not None:
            return
        child = subprocess.Popen(
            [sys.executable, "-m", "smarketing.embedded.keeper", self.name, str(self.home)],
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C at the terminal must reach the users first
        )
        _children.append(child)
        line = _first_line(child, _START_SECONDS)
        if line != "ready":
            child.kill() if not line else child.wait()
            raise StartError(line or f"the keeper of {self.name} did not answer")

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one process at a time look whether there is a keeper and start one."""
        lock = self._open("start")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _open(self, kind: str) -> int:
        path = paths.lock_file(self.home, f"{self.name}.{kind}")
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


_children: list[subprocess.Popen[bytes]] = []  # keeps the objects, so that ended keepers are reaped


def reap() -> None:
    """Collect keepers of ours that have ended."""
    _children[:] = [child for child in _children if child.poll() is None]


def join_all(uses: Sequence[Use]) -> None:
    """Join several servers at once, each while the others start; raises the first ``StartError``."""
    with ThreadPoolExecutor(max(1, len(uses))) as pool:
        for joined in [pool.submit(use.join) for use in uses]:
            joined.result()


@contextlib.contextmanager
def used(names: Sequence[str], home: Path) -> Iterator[list[Use]]:
    """Use the named servers for the duration of the block."""
    uses = [Use(name, home) for name in names]
    try:
        join_all(uses)
        yield uses
    finally:
        for use in uses:
            use.leave()


def _first_line(child: subprocess.Popen[bytes], seconds: float) -> str:
    """The first line a keeper says, or nothing when it takes too long or says none."""
    if child.stdout is None:
        return ""
    deadline = time.monotonic() + seconds
    said = b""
    os.set_blocking(child.stdout.fileno(), False)
    while not said.endswith(b"\n") and time.monotonic() < deadline:
        piece = child.stdout.read()
        if piece == b"":
            break
        if piece:
            said += piece
        else:
            time.sleep(0.01)
    child.stdout.close()
    return said.decode(errors="replace").strip()
