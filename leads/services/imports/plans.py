"""How a file is to be taken in, and what it will be read as: decided before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from leads.domain import columns, csvfiles
from leads.domain.columns import ColumnMapping
from leads.domain.values import DateOrder
from leads.services.imports import workbooks
from leads.services.imports.cells import Setting
from leads.services.imports.kinds import Kind
from smarketing.core.errors import Invalid
from smarketing.users.selectors import organisation

# How many faults are told in the answer itself; the error file has all.
TOLD_FAULTS = 20
# How many rows are looked at to see which columns hold anything.
_SAMPLE = 1000


class UnreadableFile(Invalid):
    """The file is no table, or none of its columns can be told."""

    code = "unreadable_file"


class BadOption(Invalid):
    """An option of the import can't be used."""

    code = "bad_option"


@dataclass(frozen=True, slots=True)
class Options:
    """How a file is to be taken in. ``mapping`` ("Column=field") goes before what names suggest.

    ``corrections`` are cells that a person has mended, by row and position of the column; rows of
    ``without`` they have left out. ``lookalikes``: so many new persons are compared with those who
    are here.
    """

    source: str
    mapping: Sequence[str] = ()
    key: str = "external_id"
    dry_run: bool = False
    keep_unmapped: bool = False
    create_missing: bool = False
    dates: str = ""
    zone: str = ""
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    errors: Path | None = None
    told: int = TOLD_FAULTS
    lookalikes: int = 0
    corrections: Mapping[tuple[int, int], str] = field(default_factory=dict)
    without: frozenset[int] = frozenset()


class Table(Protocol):
    """A file that can be read: a CSV file or a sheet of a workbook."""

    @property
    def path(self) -> Path: ...
    @property
    def header(self) -> tuple[str, ...]: ...
    @property
    def encoding(self) -> str: ...
    @property
    def delimiter(self) -> str: ...
    @property
    def digest(self) -> str: ...
    def rows(self, reject: Callable[[int, int, str], None]) -> Iterator[tuple[int, int, list[str]]]:
        """Yield ``(row, line, cells)`` below the header."""
        ...


@dataclass(frozen=True, slots=True)
class Plan:
    """A file as it will be read: ``fields`` and ``extras`` are positions in the header."""

    table: Table
    fields: Mapping[str, int]
    extras: tuple[int, ...]
    unmapped: tuple[int, ...]
    ambiguous: tuple[str, ...]

    def told(self) -> dict[str, str]:
        """Column → field, several fields of one column joined by a comma."""
        told: dict[str, str] = {}
        for name, position in sorted(self.fields.items(), key=lambda item: item[1]):
            column = self.table.header[position]
            told[column] = f"{told[column]}, {name}" if column in told else name
        return told


def open_table(*, path: Path, options: Options) -> Table:
    """The file as a table, whatever it is called. Raises :class:`UnreadableFile`."""
    if not path.is_file():
        raise UnreadableFile(f"There is no file {path}.")
    try:
        if workbooks.is_archive(path=path):
            return workbooks.inspect(path=path, sheet=options.sheet)
        return csvfiles.inspect(path, encoding=options.encoding, delimiter=options.delimiter)
    except csvfiles.BadFile as error:
        raise UnreadableFile(str(error)) from error


def of_file(*, kind: Kind, path: Path, options: Options) -> Plan:
    """Inspect the file and recognise its columns. Raises :class:`UnreadableFile` or :class:`BadOption`."""
    return of_table(kind=kind, table=open_table(path=path, options=options), options=options)


def of_table(*, kind: Kind, table: Table, options: Options) -> Plan:
    """As :func:`of_file`, of a table that is open."""
    try:
        found = columns.recognise(kind.name, table.header, options.mapping, blank=blank_columns(table=table))
    except columns.MappingProblem as error:
        raise BadOption(error.detail) from error
    if missing := found.missing():
        raise UnreadableFile(f"{missing} The file has: {', '.join(table.header)[:600]}.")
    fields = {name: position for name, position in found.fields.items() if name in kind.by_name}
    if options.key not in ("external_id", "email"):
        raise BadOption("--key is external_id or email.")
    if options.key == "email" and "email" not in fields:
        raise BadOption("--key email needs a column with e-mail addresses.")
    unmapped = _left_over(table, found, fields)
    kept = {position for position, name in enumerate(table.header) if name in found.kept}
    extras = {*kept, *(unmapped if options.keep_unmapped else ())} if kind.subject else set()
    return Plan(
        table=table,
        fields=fields,
        extras=tuple(sorted(extras)),
        unmapped=tuple(position for position in unmapped if position not in kept),
        ambiguous=_told_ambiguous(found),
    )


def setting_of(*, options: Options, now: datetime) -> Setting:
    """What the readers of cells must know. Raises :class:`BadOption`."""
    try:
        order = DateOrder(options.dates)
        zone = ZoneInfo(options.zone) if options.zone else organisation.zone()
    except (ValueError, KeyError) as error:
        raise BadOption("--dates is dmy or mdy, and --zone the name of a time zone.") from error
    return Setting(zone=zone, order=order, country=organisation.current().country, now=now)


def blank_columns(*, table: Table) -> set[int]:
    """The columns that hold nothing in the first rows. Rows that can't be read are told of later."""
    blank = set(range(len(table.header)))
    try:
        for _, _, cells in islice(table.rows(lambda row, line, reason: None), _SAMPLE):
            blank -= {position for position in blank if cells[position].strip()}
    except csvfiles.BadFile as error:
        raise UnreadableFile(str(error)) from error
    return blank


def _left_over(table: Table, found: ColumnMapping, fields: Mapping[str, int]) -> tuple[int, ...]:
    """The columns that no field of this kind takes; those the person left out are not among them."""
    names = {*found.unmapped, *(table.header[i] for n, i in found.fields.items() if n not in fields)}
    used = set(fields.values())
    return tuple(i for i, name in enumerate(table.header) if name and name in names and i not in used)


def _told_ambiguous(found: ColumnMapping) -> tuple[str, ...]:
    return tuple(
        f"“{a.chosen}” is taken as {a.field}; {', '.join(f'“{o}”' for o in a.others)} could be as well."
        for a in found.ambiguous
    )
