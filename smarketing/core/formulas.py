"""Cells that a spreadsheet would run: how they are made harmless, and read back as they were.

A cell that begins, after white space and invisible characters, with a sign that starts a formula is
prefixed with an apostrophe (reliability T6, ASVS 1.2.10). One that begins with apostrophes before
such a sign gets one more, so that :func:`plain` gives back exactly what :func:`harmless` was given.
"""

from __future__ import annotations

import unicodedata

_STARTERS = frozenset("=+-@|\t\r\n\0＝＋－＠｜")
_MARK = "'"


def harmless(text: str) -> str:
    """``text`` as no spreadsheet takes it for a formula."""
    return _MARK + text if starts_formula(text.lstrip(_MARK)) else text


def plain(text: str) -> str:
    """What :func:`harmless` was given."""
    return text[1:] if text[:1] == _MARK and starts_formula(text.lstrip(_MARK)) else text


def starts_formula(text: str) -> bool:
    """Whether a spreadsheet may take the text for a formula."""
    if text[:1] in _STARTERS:
        return True
    for character in text:
        if character in _STARTERS:
            return True
        # White space, control and format characters (zero width, BOM) are skipped by spreadsheets.
        if not (character.isspace() or unicodedata.category(character) in ("Cc", "Cf")):
            return False
    return False
