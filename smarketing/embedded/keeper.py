"""The parent of one embedded server: ``python -m smarketing.embedded.keeper NAME HOME``.

It starts the server, says ``ready`` on its output, restarts the server when it dies, and stops it
when nobody uses it any longer. Users hold a shared lock, which the kernel drops however they end, so
a killed user leaves no server behind. The keeper itself holds a lock that tells others it is there.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from smarketing.embedded import paths
from smarketing.embedded.postgres import Postgres
from smarketing.embedded.process import StartError
from smarketing.embedded.server import Server
from smarketing.embedded.valkey import Valkey

SERVERS: dict[str, type[Server]] = {"postgres": Postgres, "valkey": Valkey}
_LOOK_SECONDS = 0.1
_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 0.1, 15.0


class Keeper:
    """Keeps one server running while somebody uses it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.asked_to_stop = False

    def stop_soon(self, _signal: int, _frame: FrameType | None) -> None:
        """Handle the signals that end the keeper."""
        self.asked_to_stop = True

    def run(self) -> int:
        """Hold the keeper's lock, serve, stop; the exit status."""
        own = _lock(self.server, "keeper")
        if not _taken(own):
            _say("another keeper runs already")
            return 1
        os.ftruncate(own, 0)
        os.write(own, str(os.getpid()).encode())
        try:
            self.server.start()
        except (StartError, OSError) as error:
            _say(str(error))
            return 1
        _say("ready")
        self._serve()
        self.server.stop()
        return 0

    def _serve(self) -> None:
        """Return when asked to stop or when the last user has gone; then no new one can come in."""
        users = _lock(self.server, "users")
        pause, again_at = _FIRST_WAIT_SECONDS, 0.0
        while not self.asked_to_stop:
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(_LOOK_SECONDS)
            else:
                return
            if self.server.alive():
                pause = max(_FIRST_WAIT_SECONDS, pause * 0.9)
            elif time.monotonic() >= again_at:
                self._start_again()
                again_at, pause = time.monotonic() + pause, min(pause * 2, _LONGEST_WAIT_SECONDS)

    def _start_again(self) -> None:
        try:
            self.server.start()
        except (StartError, OSError) as error:
            with self.server.log.open("a") as log:
                log.write(f"keeper: {error}\n")


def _lock(server: Server, kind: str) -> int:
    path = paths.lock_file(server.home, f"{server.name}.{kind}")
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def _taken(lock: int) -> bool:
    """Take the keeper's lock; those who look whether there is a keeper hold it for an instant."""
    for _attempt in range(20):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_LOOK_SECONDS / 2)
        else:
            return True
    return False


def _say(line: str) -> None:
    """Tell the process that started us, then close the pipe: nobody reads it later."""
    os.write(sys.stdout.fileno(), f"{line}\n".encode())
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)


def main() -> int:
    """Run the keeper of the server and home named on the command line."""
    keeper = Keeper(SERVERS[sys.argv[1]](Path(sys.argv[2])))
    signal.signal(signal.SIGTERM, keeper.stop_soon)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return keeper.run()


if __name__ == "__main__":
    sys.exit(main())
