"""Where the embedded servers keep what under *home*, and the addresses that follow from it."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

# A unix socket's address has 108 bytes including the closing NUL (unix(7)).
_LONGEST_SOCKET = 107
_POSTGRES_SOCKET = ".s.PGSQL.5432"

DATABASE = "smarketing"
ROLE = "smarketing"


def socket_directory(home: Path) -> Path:
    """The directory of the sockets: under ``home``, or a short private one when that is too long."""
    inside = home / "run"
    if len(os.fsencode(inside / _POSTGRES_SOCKET)) <= _LONGEST_SOCKET:
        return inside
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"smarketing-{os.geteuid()}-{digest}"


def postgres_socket(home: Path) -> Path:
    """The socket of the embedded PostgreSQL."""
    return socket_directory(home) / _POSTGRES_SOCKET


def valkey_socket(home: Path) -> Path:
    """The socket of the embedded Valkey."""
    return socket_directory(home) / "valkey.sock"


def log_file(home: Path, name: str) -> Path:
    """Where the server of that name writes its log."""
    return home / "log" / f"{name}.log"


def lock_file(home: Path, name: str) -> Path:
    """One of the lock files by which processes agree on who runs and who uses a server."""
    return home / "lock" / name
