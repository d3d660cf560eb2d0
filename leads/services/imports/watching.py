"""Whoever looks on while an import runs: told how far it is, and able to stop it."""

from __future__ import annotations

from typing import Protocol

from smarketing.core.errors import Conflict


class Cancelled(Conflict):
    """The person who watched the run has stopped it; nothing was changed."""

    code = "cancelled"


class Watch(Protocol):
    """Told of each portion of rows; may raise :class:`Cancelled`."""

    def read(self, *, rows: int) -> None:
        """So many rows of the file have been read so far."""
        ...


class Unwatched:
    """Nobody looks on."""

    def read(self, *, rows: int) -> None:
        """Say nothing."""
