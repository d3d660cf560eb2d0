"""The files of imports: below HOME/imports, by random names, for nobody but this program.

The name a person gave the file is only told, never used as a path.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from smarketing.core.errors import Invalid

_NAME = re.compile(r"[a-f0-9]{32}")


class TooLarge(Invalid):
    """The file is larger than this installation takes."""

    status = 413
    code = "too_large"


def folder() -> Path:
    """Where the files lie; made at first use, readable only by its owner."""
    place = Path(settings.HOME) / "imports" / "files"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


def path_of(*, name: str) -> Path:
    """Where the file of that random name lies. Raises ``ValueError`` for any other name."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"not the name of a stored file: {name!r}")
    return folder() / name


def errors_of(*, name: str) -> Path:
    """Where the faults of that file are listed."""
    return path_of(name=name).with_suffix(".errors.csv")


def store(*, chunks: Iterable[bytes], limit: int) -> tuple[str, int]:
    """Write what arrives to a file, portion by portion; its random name and size.

    Raises :class:`TooLarge`; then nothing is left.
    """
    name = secrets.token_hex(16)
    place = path_of(name=name)
    size = 0
    try:
        with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            for chunk in chunks:
                size += len(chunk)
                if size > limit:
                    raise TooLarge(_("The file is larger than %(n)d MB.") % {"n": limit // 1024**2})
                file.write(chunk)
    except BaseException:
        place.unlink(missing_ok=True)
        raise
    return name, size


def remove(*, name: str) -> None:
    """Remove the file and what was written about it; twice is once."""
    if name:
        path_of(name=name).unlink(missing_ok=True)
        errors_of(name=name).unlink(missing_ok=True)


def older_than(*, instant: datetime) -> list[str]:
    """Names of stored files that were written before ``instant``."""
    return [
        place.name
        for place in folder().iterdir()
        if _NAME.fullmatch(place.name) and place.stat().st_mtime < instant.timestamp()
    ]
