"""Static files of production: hashed names, compressed copies, one style sheet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from whitenoise.storage import CompressedManifestStaticFilesStorage

ENTRY = "web/css/main.css"
_IMPORT = re.compile(r'@import url\("(?P<name>[^"]+)"\) (?:layer\((?P<layer>\w+)\)|(?P<media>\w+));')


class HashedStorage(CompressedManifestStaticFilesStorage):
    """Hashes every file and rewrites ``url()`` and ``@import`` of style sheets, nothing else.

    Django also follows source map comments, which fails on vendor files shipped without their map,
    and can rewrite imports of scripts, which trips over ``import(...)`` in comments. Scripts find each
    other through the import map instead (``{% importmap %}``). The entry style sheet is collected with
    its imports inside it, so that a browser asks once and not for thirty small files.
    """

    patterns = tuple(
        (extension, rules[:2])
        for extension, rules in CompressedManifestStaticFilesStorage.patterns
        if extension == "*.css"
    )

    def post_process(
        self,
        paths: dict[str, Any],
        dry_run: bool = False,  # noqa: FBT001, FBT002 -- Django's signature
        **options: Any,
    ) -> Iterator[Any]:
        """Put the bundled entry in the place of the one that imports, then hash and compress."""
        if ENTRY in paths:
            bundle = ContentFile(_bundled(paths).encode(), name=ENTRY)
            paths = {**paths, ENTRY: (_Memory(bundle), ENTRY)}
        yield from super().post_process(paths, dry_run, **options)


class _Memory(Storage):
    """A storage that holds one file."""

    def __init__(self, content: ContentFile[bytes]) -> None:
        self._content = content

    def _open(self, name: str, mode: str = "rb") -> ContentFile[bytes]:
        self._content.seek(0)
        return self._content


def _bundled(paths: dict[str, Any]) -> str:
    """The entry with each import replaced by its file, in the layer or medium it names."""

    def inline(found: re.Match[str]) -> str:
        text = _read(paths, f"web/css/{found['name']}")
        if "/" in found["name"]:
            text = text.replace('url("../../', 'url("../')
        wrapper = f"@layer {found['layer']}" if found["layer"] else f"@media {found['media']}"
        return f"{wrapper} {{\n{text}}}\n"

    return _IMPORT.sub(inline, _read(paths, ENTRY))


def _read(paths: dict[str, Any], name: str) -> str:
    storage, path = paths[name]
    with storage.open(path) as file:
        text: str = file.read().decode()
    return text
