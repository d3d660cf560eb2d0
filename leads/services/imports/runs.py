"""One import run: read a file, stage its rows, let its kind apply them, tell what became of each.

All of it is one transaction. A file that can't be read changes nothing; a row that can't be used is
rejected with its reason and the rest goes in; a dry run does everything and takes it back, so its
counts are those of the real run.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.utils.text import slugify

from leads.domain import columns, csvfiles
from leads.domain.columns import ColumnMapping
from leads.domain.csvfiles import Table
from leads.domain.values import BadValue, DateOrder
from leads.models import ImportRun, ImportState, SourceKind
from leads.services import sources
from leads.services.imports import kinds, unmapped
from leads.services.imports.cells import LeaveOut, Setting
from leads.services.imports.kinds import Kind
from leads.services.imports.staging import Batch
from leads.services.imports.unmapped import Extra
from smarketing.core import locks
from smarketing.core.errors import Invalid
from smarketing.users.models import User
from smarketing.users.selectors import organisation

# How many faults are told in the answer itself; the error file has all.
TOLD_FAULTS = 20
# How many rows are looked at to see which columns hold anything.
_SAMPLE = 1000
# Deferred checks of a million rows would fill the memory until the commit.
_PACE = """
SET CONSTRAINTS ALL IMMEDIATE;
SET LOCAL work_mem = '128MB';
SET LOCAL jit = off;
SET LOCAL lock_timeout = '30s';
"""


class UnreadableFile(Invalid):
    """The file is no table, or none of its columns can be told."""

    code = "unreadable_file"


class BadOption(Invalid):
    """An option of the import can't be used."""

    code = "bad_option"


@dataclass(frozen=True, slots=True)
class Options:
    """How a file is to be taken in. ``mapping`` ("Column=field") goes before what names suggest."""

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
    errors: Path | None = None


@dataclass(slots=True)
class Report:
    """What became of a file. ``mapping`` is column → field as it was used."""

    kind: str
    source: str
    file: str
    encoding: str
    delimiter: str
    dry_run: bool
    mapping: dict[str, str]
    unmapped: list[str]
    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    notes: list[str] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    error_file: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def run(*, kind: str, path: Path, options: Options, actor: User | None, now: datetime) -> Report:
    """Take in the file at ``path``. Publishes the facts of its kind in the same transaction.

    Raises :class:`UnreadableFile`, :class:`BadOption` or ``UnknownKind``; then nothing was changed.
    """
    wanted = kinds.get(name=kind)
    seen = _look(wanted, path, options)
    report = Report(
        kind=kind,
        source=slugify(options.source),
        file=path.name,
        encoding=seen.table.encoding,
        delimiter=seen.table.delimiter,
        dry_run=options.dry_run,
        mapping=_told_mapping(seen),
        unmapped=[seen.table.header[position] for position in seen.unmapped],
    )
    setting = _setting(options, now)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_PACE)
        # Two imports at once would resolve the same persons twice.
        locks.advisory(locks.Namespace.IMPORT, 0)
        batch = _begin(wanted, seen, options, setting, actor)
        _stage(wanted, seen, batch, setting, options)
        wanted.apply(batch=batch)
        _finish(batch, report, path, options, now)
        if options.dry_run or not report.created + report.updated + report.unchanged:
            transaction.set_rollback(True)
    return report


@dataclass(frozen=True, slots=True)
class _Seen:
    """A file as it will be read: ``fields`` and ``unmapped`` are positions in the header."""

    table: Table
    fields: Mapping[str, int]
    unmapped: tuple[int, ...]
    ambiguous: tuple[str, ...]


def _look(kind: Kind, path: Path, options: Options) -> _Seen:
    """Inspect the file and recognise its columns, before anything is written."""
    if not path.is_file():
        raise UnreadableFile(f"There is no file {path}.")
    try:
        table = csvfiles.inspect(path, encoding=options.encoding, delimiter=options.delimiter)
    except csvfiles.BadFile as error:
        raise UnreadableFile(str(error)) from error
    try:
        found = columns.recognise(kind.name, table.header, options.mapping, blank=_blank(table))
    except columns.MappingProblem as error:
        raise BadOption(error.detail) from error
    if missing := found.missing():
        raise UnreadableFile(f"{missing} The file has: {', '.join(table.header)[:600]}.")
    fields = {name: position for name, position in found.fields.items() if name in kind.by_name}
    if options.key not in ("external_id", "email"):
        raise BadOption("--key is external_id or email.")
    if options.key == "email" and "email" not in fields:
        raise BadOption("--key email needs a column with e-mail addresses.")
    return _Seen(table, fields, _left_over(table, found, fields), _told_ambiguous(found))


def _blank(table: Table) -> set[int]:
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


def _setting(options: Options, now: datetime) -> Setting:
    try:
        order = DateOrder(options.dates)
        zone = ZoneInfo(options.zone) if options.zone else organisation.zone()
    except (ValueError, KeyError) as error:
        raise BadOption("--dates is dmy or mdy, and --zone the name of a time zone.") from error
    return Setting(zone=zone, order=order, country=organisation.current().country, now=now)


def _told_mapping(seen: _Seen) -> dict[str, str]:
    """Column → field, several fields of one column joined by a comma."""
    told: dict[str, str] = {}
    for name, position in sorted(seen.fields.items(), key=lambda item: item[1]):
        column = seen.table.header[position]
        told[column] = f"{told[column]}, {name}" if column in told else name
    return told


def _begin(kind: Kind, seen: _Seen, options: Options, setting: Setting, actor: User | None) -> Batch:
    """The run's own row, and the batch that everything else works on."""
    now = setting.now
    code = slugify(options.source)
    if not code:
        raise BadOption("--source needs a name.")
    source = sources.ensure(code=code, name=options.source, kind=SourceKind.IMPORT, now=now)
    mapping = {name: seen.table.header[position] for name, position in seen.fields.items()}
    started = ImportRun.objects.create(
        kind=kind.name,
        source=source,
        file_name=seen.table.path.name[:255],
        file_digest=seen.table.digest,
        mapping=_told_mapping(seen),
        actor=actor,
        started_at=now,
        created_at=now,
        updated_at=now,
    )
    return Batch(
        source=source,
        run=started,
        fields=mapping,
        key=options.key if "external_id" in mapping else "email",
        create_missing=options.create_missing,
        zone=setting.zone.key,
        actor=actor,
        now=now,
        notes=list(seen.ambiguous),
    )


def _stage(kind: Kind, seen: _Seen, batch: Batch, setting: Setting, options: Options) -> None:
    """COPY the readable rows into ``import_row``; what is wrong with others goes to ``import_error``."""
    extras: list[Extra] = []
    if options.keep_unmapped and kind.subject:
        extras = unmapped.extras(header=seen.table.header, positions=seen.unmapped)
    staged = [column for item in kind.fields for column in item.staged()]
    batch.open([*staged, *((extra.column, "text") for extra in extras)])
    mapped = [item for item in kind.fields if item.name in seen.fields]
    plan = [
        (seen.fields[item.name], item.reader(setting=setting), len(item.staged()), batch.fields[item.name])
        for item in mapped
    ]
    plan += [(extra.position, extra.read, 1, extra.label) for extra in extras]
    names = [name for item in mapped for name, _ in item.staged()] + [extra.column for extra in extras]
    try:
        batch.copy(names, _read(seen, plan, batch, setting))
    except csvfiles.BadFile as error:
        raise UnreadableFile(str(error)) from error
    if batch.has("is_deleted"):
        batch.reject("is_deleted", "The record is deleted in the source.", "r.is_deleted")
    if batch.has("external_id") and batch.key == "external_id":
        batch.fold_twins(names)
    if kind.subject and extras:
        unmapped.settle(batch=batch, subject=kind.subject, columns=extras)


def _read(
    seen: _Seen, plan: Sequence[tuple[int, Any, int, str]], batch: Batch, setting: Setting
) -> Iterator[Sequence[str | int | None]]:
    """The rows as COPY takes them; a row with a bad cell is told of and left out."""

    def ragged(row: int, line: int, reason: str) -> None:
        batch.fault(row, line, "", f"The row {reason}.")

    blanks = {width: (None,) * width for _, _, width, _ in plan}
    # Phone numbers are written by the habits of their country.
    country = seen.fields.get("country")
    for row, line, cells in seen.table.rows(ragged):
        if country is not None:
            setting.row["country"] = cells[country].strip()
        out: list[Any] = [row, line]
        good = True
        for position, read, width, name in plan:
            text = cells[position].strip()
            found: Any = None
            if text:
                try:
                    found = read(text)
                except BadValue as error:
                    batch.fault(row, line, name, f"{name} {error}.")
                    good = False
                except LeaveOut as error:
                    batch.leave_out(name, str(error))
            if width == 1:
                out.append(found)
            else:
                out.extend(found or blanks[width])
        if good:
            yield out


def _finish(batch: Batch, report: Report, path: Path, options: Options, now: datetime) -> None:
    """Count, write the error file, and close the run's own row."""
    for (name, reason), count in sorted(batch.left_out.items()):
        batch.note(f"{name}: {count} cells left blank, because each {reason}.")
    report.created, report.updated, report.unchanged, report.rejected = batch.counts()
    report.rows = report.created + report.updated + report.unchanged + report.rejected
    report.notes = batch.notes
    faults = [
        {"row": row, "line": line, "column": batch.fields.get(name, name), "reason": reason}
        for row, line, name, reason in batch.faults()
    ]
    report.errors = faults[:TOLD_FAULTS]
    if options.errors is not None and (faults or options.errors.exists()):
        _write_errors(options.errors, faults)
        report.error_file = str(options.errors) if faults else ""
    run = batch.run
    run.state, run.finished_at, run.updated_at = ImportState.DONE, now, now
    run.created_count, run.updated_count = report.created, report.updated
    run.unchanged_count, run.rejected_count = report.unchanged, report.rejected
    run.error_file, run.notes = report.error_file[:500], report.notes
    run.save(
        update_fields=[
            "state",
            "finished_at",
            "updated_at",
            "created_count",
            "updated_count",
            "unchanged_count",
            "rejected_count",
            "error_file",
            "notes",
        ]
    )


def _write_errors(path: Path, faults: Sequence[Mapping[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=["row", "column", "reason", "line"])
        writer.writeheader()
        writer.writerows(
            {"row": f["row"], "column": f["column"], "reason": f["reason"], "line": f["line"]} for f in faults
        )
