"""Messages of callers that can't come back, kept in files while the database is away.

A pixel is fetched once: its sender has no retry. When the database does not take its message within a
moment, the message is appended to a file of this process below ``HOME/spool`` and on disk before the
answer; the web process that next finds the database well puts all such files into the inbox. Ids stay
the same, so doing it twice is once.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings

from leads.services.intake import Row

log = structlog.get_logger(__name__)
_MOST_BYTES = 64 * 1024 * 1024  # of all files of this host; more would be an attack on the disk
_writing = threading.Lock()


def _directory() -> Path:
    return Path(settings.HOME) / "spool"


def keep(rows: Sequence[Row]) -> bool:
    """Append the rows durably; ``False`` when there is no room left."""
    directory = _directory()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if sum(file.stat().st_size for file in directory.glob("*.jsonl")) > _MOST_BYTES:
        return False
    text = "".join(json.dumps(asdict(row), ensure_ascii=True) + "\n" for row in rows)
    with _writing, (directory / f"{os.getpid()}.jsonl").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # a replay that has the file open is awaited
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())
    return True


def is_waiting() -> bool:
    """Whether any message waits in a file."""
    return any(file.stat().st_size for file in _directory().glob("*.jsonl"))


def replay(*, accept: Callable[..., Collection[Any]]) -> int:
    """Put every spooled message into the inbox; how many there were. Raises what ``accept`` raises."""
    directory, found = _directory(), 0
    if not directory.is_dir():
        return 0
    for path in sorted(directory.glob("*.jsonl")):
        try:
            file = path.open("r+b")
        except FileNotFoundError:  # another process was faster
            continue
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            rows = [row for line in file.read().splitlines() if (row := _row(line)) is not None]
            if rows:
                accept(rows=rows)
            found += len(rows)
            file.truncate(0)
            if not _is_ours(path):
                path.unlink(missing_ok=True)
    return found


def _is_ours(path: Path) -> bool:
    """Whether the file's process lives and may append; its empty file stays."""
    return path.stem.isdigit() and Path(f"/proc/{path.stem}").exists()


def _row(line: bytes) -> Row | None:
    """A line that was cut off by a crash was never answered for."""
    try:
        kept = json.loads(line)
        return Row(kept["id"], kept["body"])
    except (ValueError, TypeError, KeyError):
        log.warning("spool_line_unreadable")
        return None
