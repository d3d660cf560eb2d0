"""CSV files that a spreadsheet opens without running anything.

A cell that begins, after white space and invisible characters, with a sign that starts a formula is
prefixed with an apostrophe (reliability T6, ASVS 1.2.10). Numbers stay numbers.
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO

from django.http import StreamingHttpResponse

_STARTERS = frozenset("=+-@|\t\r\n\0＝＋－＠｜")
_BOM = "\ufeff"


def safe_cell(value: object) -> str:
    """``value`` as a cell text that no spreadsheet takes for a formula; ``None`` is empty.

    Values that are numbers by type are written as they are, also negative ones.
    """
    if value is None:
        return ""
    text = str(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return text
    return f"'{text}" if _is_dangerous(text) else text


def csv_response(
    *, name: str, header: Sequence[str], rows: Iterable[Sequence[object]]
) -> StreamingHttpResponse:
    """Stream ``rows`` as ``name``.csv with a header line, in UTF-8 with a byte order mark."""
    response = StreamingHttpResponse(_lines(header, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _lines(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    buffer = StringIO()
    writer = csv.writer(buffer)
    buffer.write(_BOM)
    writer.writerow([safe_cell(cell) for cell in header])
    for row in rows:
        writer.writerow([safe_cell(cell) for cell in row])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()


def _is_dangerous(text: str) -> bool:
    if text[:1] in _STARTERS:
        return True
    for character in text:
        if character in _STARTERS:
            return True
        # White space, control and format characters (zero width, BOM) are skipped by spreadsheets.
        if not (character.isspace() or unicodedata.category(character) in ("Cc", "Cf")):
            return False
    return False
