"""Serves only the listed files of ``node_modules``, never whole packages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.checks import CheckMessage, Error
from django.core.files.storage import FileSystemStorage


class NpmFinder(BaseFinder):
    """Finds ``NPM_STATIC``: a mapping of address below ``/static/`` to path below ``NPM_ROOT``."""

    def __init__(self, *_args: object, **_options: object) -> None:
        self.root = Path(settings.NPM_ROOT)
        self.files: dict[str, str] = settings.NPM_STATIC

    def check(self, **_options: Any) -> list[CheckMessage]:
        """Report each listed file that is not installed, with the command that installs it."""
        return [
            Error(
                f"The browser file {path} is not installed.",
                hint="Run `npm ci` in smarketing/assets, or script/demo, which does it.",
                id="assets.E001",
            )
            for path in self.files.values()
            if not (self.root / path).is_file()
        ]

    def find(self, path: str, find_all: bool = False, **_options: Any) -> Any:  # noqa: FBT001, FBT002
        """Return the file's absolute path (a list of them when ``find_all``), or an empty list."""
        known = self.files.get(path)
        if known is None or not (self.root / known).is_file():
            return []
        full = str(self.root / known)
        return [full] if find_all else full

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, Any]]:
        """Yield every listed file with a storage that opens it."""
        for address, path in self.files.items():
            yield address, _OneFile(self.root / path)


class _OneFile(FileSystemStorage):
    """One installed file, whatever name it is asked for by."""

    prefix = ""

    def __init__(self, file: Path) -> None:
        super().__init__(location=file.parent)
        self._file = file

    def path(self, name: str) -> str:
        return str(self._file)
