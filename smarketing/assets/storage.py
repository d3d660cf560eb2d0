"""Static files of production: hashed names, compressed copies."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStorage(CompressedManifestStaticFilesStorage):
    """Hashes every file and rewrites ``url()`` and ``@import`` of style sheets, nothing else.

    Django also follows source map comments, which fails on vendor files shipped without their map,
    and can rewrite imports of scripts, which trips over ``import(...)`` in comments. Scripts find each
    other through the import map instead (``{% importmap %}``).
    """

    patterns = tuple(
        (extension, rules[:2])
        for extension, rules in CompressedManifestStaticFilesStorage.patterns
        if extension == "*.css"
    )
