"""Files of comma-separated values as people send them: encodings, delimiters, and what is no CSV at all.

One pass over the bytes decides how the file is read (:func:`inspect`), a second one streams its rows
(:meth:`Table.rows`), so a file is never in memory as a whole. What can't be read at all raises
:class:`BadFile` before a row is given; a single bad row is handed to ``reject`` and the rest goes on.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from io import StringIO
from pathlib import Path
from typing import TextIO

DELIMITERS = (",", ";", "\t", "|")
MAX_COLUMNS = 10_000
# A line longer than this is no table; without a bound a file without newlines would fill the memory.
MAX_LINE = 8_000_000
# The limit of Python's reader, which counts characters of one cell.
MAX_CELL = 131_072
_CHUNK = 1 << 20
_SAMPLE = 1 << 16

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "This is a gzip archive. Unpack it first and import the CSV file inside."),
    (
        b"PK\x03\x04",
        "This is an Excel workbook (XLSX) or a zip archive, not CSV.",
    ),
    (b"PK\x05\x06", "This is an empty zip archive, not CSV."),
    (
        b"\xd0\xcf\x11\xe0",
        "This is an old Excel workbook (XLS) or one with a password. Save it as XLSX without a password, or"
        " the sheet as “CSV UTF-8”, and import that.",
    ),
    (b"%PDF", "This is a PDF document, not CSV."),
    (b"\x89PNG", "This is a picture, not CSV."),
    (b"\xff\xd8\xff", "This is a picture, not CSV."),
    (b"SQLite format 3", "This is a database file, not CSV."),
    (b"PAR1", "This is a Parquet file, not CSV."),
)
_MARKUP = ("<!doctype", "<html", "<head", "<body", "<table", "<?xml", "<script", "<!--", "<svg")
_BOMS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class BadFile(ValueError):
    """The file can't be read as a table; the message says what it is and what to do."""


@dataclass(frozen=True, slots=True)
class Table:
    """A file that can be read: its header, and how its bytes become rows."""

    path: Path
    header: tuple[str, ...]
    encoding: str
    delimiter: str
    digest: str

    def rows(self, reject: Callable[[int, int, str], None]) -> Iterator[tuple[int, int, list[str]]]:
        """Yield ``(row, line, cells)`` below the header; the header is row 1, as in a spreadsheet.

        ``line`` is the line of the file the row ends on. Blank rows are passed over; a row whose
        number of cells differs from the header's, or whose quotes are wrong, goes to ``reject``.
        Raises :class:`BadFile` where reading can't go on: an oversize cell, or a quote never closed.
        """
        width = len(self.header)
        with self.path.open(encoding=self.encoding, newline="") as file:
            reader = csv.reader(_lines(file), delimiter=self.delimiter, strict=True)
            row = 0
            while True:
                row += 1
                before = reader.line_num
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    reject(row, before + 1, _told(error, row, before + 1))
                    continue
                if row == 1:
                    continue
                if len(cells) == width:
                    if not any(cells):
                        continue
                    yield row, reader.line_num, cells
                elif any(cells):
                    if len(cells) > width and not any(cells[width:]):
                        yield row, reader.line_num, cells[:width]
                        continue
                    reject(row, reader.line_num, f"has {len(cells)} cells where the header has {width}")


def inspect(path: Path, *, encoding: str | None = None, delimiter: str | None = None) -> Table:
    """Look at the whole file once and say how it is to be read.

    Encoding: byte order mark, else strict UTF-8, else UTF-16 by its zero bytes, else Windows-1252.
    Delimiter: the one of ``, ; tab |`` that cuts the first rows most evenly. Raises
    :class:`BadFile` for what is no table of text.
    """
    start, digest, is_utf8, has_nul = _scan(path)
    if not start.strip():
        raise BadFile("The file is empty.")
    for magic, told in _MAGIC:
        if start.startswith(magic):
            raise BadFile(told)
    used = encoding or _encoding(start, is_utf8=is_utf8, has_nul=has_nul)
    text = _sample(path, used)
    _refuse_markup(text)
    header = _header(text, delimiter or _delimiter(text))
    return Table(
        path=path,
        header=header,
        encoding=used,
        delimiter=delimiter or _delimiter(text),
        digest=digest,
    )


def _scan(path: Path) -> tuple[bytes, str, bool, bool]:
    """Beginning, SHA-256, whether all of it is strict UTF-8, whether a zero byte is in it."""
    digest = hashlib.sha256()
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_utf8, has_nul, start = True, False, b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            start = start or chunk[:_SAMPLE]
            digest.update(chunk)
            has_nul = has_nul or b"\0" in chunk
            if is_utf8:
                try:
                    decoder.decode(chunk)
                except UnicodeDecodeError:
                    is_utf8 = False
    if is_utf8:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            is_utf8 = False
    return start, digest.hexdigest(), is_utf8, has_nul


def _encoding(start: bytes, *, is_utf8: bool, has_nul: bool) -> str:
    for mark, name in _BOMS:
        if start.startswith(mark):
            if name == "utf-8-sig" and not is_utf8:
                raise BadFile("The file says it is UTF-8 but is not. Save it again as “CSV UTF-8”.")
            if name == "utf-8-sig" and has_nul:
                raise BadFile(_NUL)
            return name
    if has_nul:
        half = max(len(start) // 2, 1)
        if start[1::2].count(0) > 0.3 * half and start[::2].count(0) < 0.05 * half:
            return "utf-16-le"
        if start[::2].count(0) > 0.3 * half and start[1::2].count(0) < 0.05 * half:
            return "utf-16-be"
        raise BadFile(_NUL)
    return "utf-8" if is_utf8 else "cp1252"


_NUL = "The file has NUL characters in it: it is damaged, or not a text file. Export it again."


def _sample(path: Path, encoding: str) -> str:
    """The first part as text, cut at the end of a line where there is more."""
    try:
        with path.open(encoding=encoding, newline="") as file:
            text = file.read(_SAMPLE)
            rest = file.read(1)
            while file.read(_CHUNK):
                pass  # a decoding error anywhere must show before the first row is taken
    except (UnicodeError, LookupError) as error:
        raise BadFile(
            f"The file can't be read as {encoding} ({error}). Save it as “CSV UTF-8”, or name its encoding."
        ) from error
    if "\0" in text:
        raise BadFile(_NUL)
    if rest:
        cut = max(text.rfind("\n"), text.rfind("\r"))
        text = text[: cut + 1] if cut > 0 else text
    return text


def _refuse_markup(text: str) -> None:
    start = text.lstrip("\ufeff \t\r\n")[:200].lower()
    if start.startswith(_MARKUP):
        raise BadFile(
            "This is a web page or XML (HTML) with the name of a CSV file: the export probably needs"
            " a sign-in. Export the table itself."
        )
    if not start:
        raise BadFile("The file is empty.")


def _delimiter(text: str) -> str:
    best, score = ",", 1.0
    for candidate in DELIMITERS:
        rows = _head(text, candidate)
        width = len(rows[0]) if rows else 0
        if width < 2:
            continue
        even = sum(len(row) == width for row in rows) / len(rows)
        if width * even > score:
            best, score = candidate, width * even
    return best


def _head(text: str, delimiter: str) -> list[list[str]]:
    """The first rows of the sample, as far as it can be read with this delimiter."""
    rows: list[list[str]] = []
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter)
    try:
        for row in reader:
            if any(row):
                rows.append(row)
            if len(rows) == 100:
                break
    except csv.Error:
        return rows
    return rows


def _header(text: str, delimiter: str) -> tuple[str, ...]:
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        first = next(reader, [])
    except csv.Error as error:
        raise BadFile(_told(error, 1, 1)) from error
    return header_of(first)


def header_of(cells: Sequence[str]) -> tuple[str, ...]:
    """The names of the columns from the first row. Raises :class:`BadFile` for a blank or doubled one."""
    names = tuple(" ".join(name.lstrip("\ufeff").split()) for name in cells)
    if not any(names):
        raise BadFile("The first row is blank; it must name the columns.")
    if len(names) > MAX_COLUMNS:
        raise BadFile(f"The file has {len(names)} columns; more than {MAX_COLUMNS} are not taken.")
    seen: dict[str, int] = {}
    for position, name in enumerate(names, start=1):
        if name and name.casefold() in seen:
            first_at = seen[name.casefold()]
            raise BadFile(
                f"Two columns are called “{name[:80]}” ({first_at} and {position})."
                " Rename or remove one, so that no value is taken from the wrong one."
            )
        seen[name.casefold()] = position
    return names


def _lines(file: TextIO) -> Iterator[str]:
    for number, line in enumerate(iter(partial(file.readline, MAX_LINE), ""), start=1):
        if len(line) >= MAX_LINE:
            raise BadFile(f"Line {number} is longer than {MAX_LINE:,} characters: this is not a table.")
        if "\0" in line:
            raise BadFile(_NUL)
        yield line


def _told(error: csv.Error, row: int, line: int) -> str:
    """The reader's complaint in words. Raises :class:`BadFile` where reading can't go on after it."""
    text = str(error)
    if "field limit" in text:
        raise BadFile(
            f"Row {row} (line {line}) has a cell of more than {MAX_CELL:,} characters."
            " A quote may be missing, or the file is not a table."
        ) from error
    if "unexpected end" in text:
        raise BadFile(f"A quote that opens in row {row} (line {line}) is never closed.") from error
    return "has a quote inside a quoted cell that is not doubled"
