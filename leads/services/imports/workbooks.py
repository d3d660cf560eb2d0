"""Excel workbooks (XLSX) as tables: the same rows of text that a CSV file gives.

A workbook is a zip archive of XML. Before a library unpacks it, its members are looked at one by one
under limits, so that a small file can't become a big one (reliability T18): members, their size, how
far they unpack, and how large an area a sheet claims. The names inside the archive are only looked up
in it, never used as paths. What can't be read raises ``BadFile`` and names what it is.
"""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.parsers import expat

from python_calamine import (
    CalamineError,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from leads.domain import csvfiles
from leads.domain.csvfiles import BadFile

MAX_MEMBERS = 1_000
MAX_UNPACKED = 50 * 1024 * 1024
MAX_RATIO = 100
# A sheet is unfolded into all cells between its first and its last, whether they hold something or not.
MAX_AREA = 4_000_000
_CHUNK = 1 << 16
_SAVE_AS_CSV = " Save the sheet as “CSV UTF-8” and import that."
# What unpacking may meet in bytes that are no archive any more; an unknown compression is among them.
_DAMAGE = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError)
_Cell = str | int | float | bool | date | datetime | time | timedelta


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet of a workbook: its header, and all sheets there are. Rows are numbered as in Excel."""

    path: Path
    header: tuple[str, ...]
    digest: str
    sheet: str
    sheets: tuple[str, ...]
    encoding: str = "xlsx"
    delimiter: str = ""

    def rows(self, reject: Callable[[int, int, str], None]) -> Iterator[tuple[int, int, list[str]]]:
        """As :meth:`leads.domain.csvfiles.Table.rows`; a sheet has no ragged rows, so ``reject`` rests.

        The sheet is in memory while its rows are read, within the limits of this module.
        """
        width = len(self.header)
        found = _rows(self.path, self.sheet)
        next(found, None)
        for number, cells in found:
            if not any(cells):
                continue
            yield number, number, [*cells, *([""] * (width - len(cells)))][:width]


def is_archive(*, path: Path) -> bool:
    """Whether the file begins as a zip archive does, whatever it is called."""
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"


def inspect(*, path: Path, sheet: str | None = None) -> Sheet:
    """Look at a workbook and take ``sheet``, else its first visible one. Raises ``BadFile``."""
    _refuse_bombs(path)
    with _complaints(), _opened(path) as book:
        known = tuple(
            meta.name
            for meta in book.sheets_metadata
            if meta.typ == SheetTypeEnum.WorkSheet
            and (meta.visible == SheetVisibleEnum.Visible or meta.name == sheet)
        )
    if not known:
        raise BadFile("The workbook has no visible sheet of cells.")
    if sheet is not None and sheet not in known:
        raise BadFile(f"The workbook has no sheet “{sheet[:80]}”. It has: {', '.join(known)[:600]}.")
    chosen = sheet or known[0]
    _, first = next(_rows(path, chosen), (0, []))
    if not any(first):
        raise BadFile(f"The sheet “{chosen[:80]}” is empty.")
    while first and not first[-1]:
        first.pop()
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    digest.update(chosen.encode())
    return Sheet(
        path=path,
        header=csvfiles.header_of(first),
        digest=digest.hexdigest(),
        sheet=chosen,
        sheets=known,
    )


def _rows(path: Path, sheet: str) -> Iterator[tuple[int, list[str]]]:
    """Each row from the first that holds anything, with its number in the sheet."""
    with _complaints(), _opened(path) as book:
        found = book.get_sheet_by_name(sheet)
        start = found.start
        rows = found.iter_rows()
    if start is None:
        return
    # The iterator begins at the top of the sheet, also where that is blank.
    for number, cells in enumerate(rows, start=1):
        if number > start[0]:
            yield number, [_text(cell) for cell in cells]


def _opened(path: Path) -> CalamineWorkbook:
    return CalamineWorkbook.from_path(str(path))


@contextmanager
def _complaints() -> Iterator[None]:
    """What the library says of a workbook that it can't read, as ``BadFile``."""
    try:
        yield
    except PasswordError as error:
        raise BadFile("The workbook is protected by a password. Save it without one.") from error
    except CalamineError as error:
        raise BadFile(f"This is not a workbook that can be read ({error}).{_SAVE_AS_CSV}") from error
    except BaseException as error:
        # A panic of the library's Rust is no Exception, and has no class that could be named.
        if type(error).__name__ != "PanicException":
            raise
        raise BadFile(f"The workbook is damaged.{_SAVE_AS_CSV}") from error


def _text(cell: _Cell) -> str:
    """A typed cell as a person would have typed it into CSV: dates in ISO 8601, whole numbers whole."""
    if isinstance(cell, str):
        return cell.replace("\0", "")
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, int):
        return str(cell)
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else format(Decimal(repr(cell)), "f")
    if isinstance(cell, datetime):
        if cell.time() == time():
            return cell.date().isoformat()
        return cell.isoformat(sep=" ", timespec="seconds")
    if isinstance(cell, timedelta):
        return str(int(cell.total_seconds()))
    return cell.isoformat()


def _refuse_bombs(path: Path) -> None:
    """Unpack each member under limits, and measure what each sheet claims. Raises ``BadFile``."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            _refuse_strangers(archive, members)
            packed = max(path.stat().st_size, 1)
            left = min(MAX_UNPACKED, packed * MAX_RATIO)
            if sum(member.file_size for member in members) > left:
                raise _too_big()
            for member in members:
                left -= _measure(archive, member, left)
    except BadFile:
        raise
    except _DAMAGE as error:
        raise BadFile(f"The workbook is damaged ({error}).{_SAVE_AS_CSV}") from error


def _refuse_strangers(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> None:
    names = {member.filename for member in members}
    if len(members) > MAX_MEMBERS or len(names) != len(members):
        raise BadFile(f"The workbook is damaged: it has {len(members)} parts.{_SAVE_AS_CSV}")
    if "mimetype" in names:
        with archive.open("mimetype") as file:
            if file.read(60).startswith(b"application/vnd.oasis"):
                raise BadFile("This is an OpenDocument file (ODS), not an Excel workbook." + _SAVE_AS_CSV)
    if "xl/workbook.bin" in names:
        raise BadFile("This is a binary Excel workbook (XLSB)." + _SAVE_AS_CSV)
    if "xl/workbook.xml" not in names:
        raise BadFile("This is a zip archive. Unpack it first and import the CSV or XLSX file inside.")
    if any(member.flag_bits & 1 for member in members):
        raise BadFile("The workbook is protected by a password. Save it without one.")


def _too_big() -> BadFile:
    return BadFile(
        f"The workbook unpacks to more than {MAX_UNPACKED // 1024**2} MB or {MAX_RATIO} times its size."
        + _SAVE_AS_CSV
    )


def _measure(archive: zipfile.ZipFile, member: zipfile.ZipInfo, left: int) -> int:
    """How many bytes the member unpacks to, at most ``left``; XML is parsed for the area of its cells."""
    area = _Area() if member.filename.endswith(".xml") else None
    size = 0
    with archive.open(member) as file:
        while chunk := file.read(_CHUNK):
            size += len(chunk)
            if size > left:
                raise _too_big()
            if area is not None:
                area.feed(chunk)
    if area is not None:
        area.close()
    return size


class _Area:
    """Reads the XML of a part and keeps the extent of the cells it tells of."""

    def __init__(self) -> None:
        self.top = self.left = 1 << 30
        self.bottom = self.right = self.row = self.column = 0
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._element
        self.parser.StartDoctypeDeclHandler = self._doctype

    def feed(self, data: bytes) -> None:
        """The next bytes of the part."""
        try:
            self.parser.Parse(data)
        except expat.ExpatError as error:
            raise BadFile(f"The workbook is damaged ({error}).{_SAVE_AS_CSV}") from error

    def close(self) -> None:
        """The part is at its end."""
        try:
            self.parser.Parse(b"", True)  # noqa: FBT003  (expat takes no keywords)
        except expat.ExpatError as error:
            raise BadFile(f"The workbook is damaged ({error}).{_SAVE_AS_CSV}") from error

    def _doctype(self, *_: Any) -> None:
        raise BadFile(f"The workbook is damaged: its XML declares a document type.{_SAVE_AS_CSV}")

    def _element(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        if local == "row":
            told = attributes.get("r", "")
            self.row, self.column = (int(told) if told.isdigit() else self.row + 1), 0
        elif local == "c":
            self._place(attributes.get("r", ""))

    def _place(self, told: str) -> None:
        """A cell stands where it says, else right of the one before it."""
        letters = told.rstrip("0123456789")
        digits = told[len(letters) :]
        if letters.isascii() and letters.isalpha() and digits and len(told) <= 12:
            self.column = 0
            for letter in letters.upper():
                self.column = self.column * 26 + ord(letter) - 64
            self.row = int(digits)
        else:
            self.column += 1
        self.top, self.bottom = min(self.top, self.row), max(self.bottom, self.row)
        self.left, self.right = min(self.left, self.column), max(self.right, self.column)
        if (self.bottom - self.top + 1) * (self.right - self.left + 1) > MAX_AREA:
            raise BadFile(f"A sheet of the workbook spans more than {MAX_AREA:,} cells.{_SAVE_AS_CSV}")
