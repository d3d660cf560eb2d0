"""What the keeper needs to know of a server; ``postgres`` and ``valkey`` fill it in."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path

from smarketing.embedded import paths
from smarketing.embedded.process import StartError, private_directory, server_account


class Server(ABC):
    """One server below *home*: prepared once, started often, stopped by signal."""

    name: str
    start_seconds = 60.0
    stop_seconds = 20.0
    gentle: signal.Signals
    hard: signal.Signals

    def __init__(self, home: Path) -> None:
        self.home = home
        self.account = server_account()
        self.child: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """The server's log."""
        return paths.log_file(self.home, self.name)

    @abstractmethod
    def prepare(self) -> None:
        """Make the data directory if there is none and clear what a crash has left."""

    @abstractmethod
    def launch(self, output: int) -> subprocess.Popen[bytes]:
        """Start the process."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether the server accepts work."""

    def start(self) -> None:
        """Prepare, launch and wait until the server answers; raises ``StartError``."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        private_directory(paths.socket_directory(self.home), self.account)
        self.prepare()
        with self.log.open("ab") as output:
            self.child = self.launch(output.fileno())
        deadline = time.monotonic() + self.start_seconds
        while not self.answers():
            if self.child.poll() is not None:
                raise StartError(f"{self.name} ended at once ({self.child.returncode}); see {self.log}")
            if time.monotonic() > deadline:
                self.stop()
                raise StartError(f"{self.name} does not answer; see {self.log}")
            time.sleep(0.02)

    def alive(self) -> bool:
        """Whether the process runs."""
        return self.child is not None and self.child.poll() is None

    def stop(self) -> None:
        """Ask the server to end, then make it end."""
        if self.child is None or self.child.poll() is not None:
            return
        for sign in (self.gentle, self.hard, signal.SIGKILL):
            self.child.send_signal(sign)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.child.wait(self.stop_seconds)
                return


def end_process(pid: int, *, gentle: signal.Signals, hard: signal.Signals, seconds: float) -> None:
    """End a process that is not our child, left over from a keeper that was killed."""
    for sign in (gentle, hard, signal.SIGKILL):
        deadline = time.monotonic() + seconds
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, sign)
            while time.monotonic() < deadline:
                os.kill(pid, 0)
                time.sleep(0.05)


def command_line(pid: int) -> str:
    """The command line of a process, or nothing when there is none or it can't be told."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
