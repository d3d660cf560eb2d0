"""Child processes of the supervisor: started, watched, started again, stopped with all they started."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform.startswith("linux") else None
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.2, 30.0
_STEADY_SECONDS = 20.0  # a child that lived this long is started again at once


class Child:
    """One process of the product, in a process group of its own.

    Ctrl-C at the terminal therefore reaches only the supervisor, which ends its children in order, and
    what a killed child has started can be ended with it.
    """

    def __init__(
        self, name: str, argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path | None
    ) -> None:
        """``log`` takes both output streams; without it they are the supervisor's."""
        self.name = name
        self.log = log
        self.argv = list(argv)
        self.env = dict(env)
        self.cwd = cwd
        self.restarts = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._not_before = 0.0
        self._pause = _FIRST_PAUSE_SECONDS

    @property
    def pid(self) -> int | None:
        """The process number, or ``None`` while there is no process."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start the process."""
        with contextlib.ExitStack() as stack:
            output = stack.enter_context(self.log.open("ab")) if self.log else None
            self._process = subprocess.Popen(  # noqa: S603 - our own programs
                self.argv,
                cwd=self.cwd,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - the supervisor has a single thread
            )
        self._started_at = time.monotonic()

    def watch(self, *, say: Callable[[str], None]) -> None:
        """Start the process again when it has ended; after quick deaths wait longer and longer."""
        now = time.monotonic()
        if self._process is not None and self._process.poll() is not None:
            say(f"{self.name} ended ({self._process.returncode}); starting it again")
            self._end_group(signal.SIGKILL)
            if now - self._started_at >= _STEADY_SECONDS:
                self._pause = _FIRST_PAUSE_SECONDS
            self._process = None
            self._not_before = now + self._pause
            self._pause = min(self._pause * 2, _LONGEST_PAUSE_SECONDS)
        if self._process is None and now >= self._not_before:
            self.restarts += 1
            self.start()

    def ask_to_stop(self) -> None:
        """Have the process end when it has finished what it does."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def stopped(self, *, within: float) -> bool:
        """Wait for the end; then, or when the time is up, end all that is left of it."""
        if self._process is None:
            return True
        try:
            self._process.wait(max(within, 0.01))
        except subprocess.TimeoutExpired:
            return False
        finally:
            self._end_group(signal.SIGKILL)
        return True

    def kill(self) -> None:
        """End the process and all it has started, without asking; ``watch`` starts it again."""
        self._end_group(signal.SIGKILL)

    def _end_group(self, sign: signal.Signals) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, sign)


def _die_with_parent() -> None:
    """Have the kernel ask the child to stop when the supervisor is killed; runs before exec."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
