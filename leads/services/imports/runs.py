"""One import run: read a file, stage its rows, let its kind apply them, tell what became of each.

All of it is one transaction. A file that can't be read changes nothing; a row that can't be used is
rejected with its reason and the rest goes in; a dry run does everything and takes it back, so its
counts are those of the real run.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from leads.domain import csvfiles
from leads.domain.values import BadValue
from leads.models import ImportRun, ImportState, SourceKind
from leads.services import sources
from leads.services.imports import kinds, lookalikes, plans, traces, unmapped
from leads.services.imports.cells import LeaveOut, Setting
from leads.services.imports.kinds import Kind
from leads.services.imports.plans import BadOption, Options, Plan, UnreadableFile
from leads.services.imports.staging import Batch
from leads.services.imports.watching import Cancelled, Unwatched, Watch
from smarketing.core import formulas, locks
from smarketing.core.errors import Invalid
from smarketing.users.models import User

_OF_PEOPLE = ("people", "leads")
# After so many rows, whoever watches is told.
_PORTION = 1_000
# Deferred checks of a million rows would fill the memory until the commit.
_PACE = """
SET CONSTRAINTS ALL IMMEDIATE;
SET LOCAL work_mem = '128MB';
SET LOCAL jit = off;
SET LOCAL lock_timeout = '30s';
"""


class NothingUsable(Invalid):
    """No row of the file could be used."""

    code = "nothing_usable"


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
    lookalikes: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def run(
    *,
    kind: str,
    path: Path,
    options: Options,
    actor: User | None,
    now: datetime,
    record: ImportRun | None = None,
    watch: Watch | None = None,
) -> Report:
    """Take in the file at ``path``. Publishes the facts of its kind in the same transaction.

    ``record`` is the row of a run that was prepared before; without one it is made. Raises
    :class:`UnreadableFile`, :class:`BadOption`, ``UnknownKind`` or ``Cancelled``; then nothing was
    changed.
    """
    wanted = kinds.get(name=kind)
    plan = plans.of_file(kind=wanted, path=path, options=options)
    report = Report(
        kind=kind,
        source=slugify(options.source),
        file=record.file_name if record else path.name,
        encoding=plan.table.encoding,
        delimiter=plan.table.delimiter,
        dry_run=options.dry_run,
        mapping=plan.told(),
        unmapped=[plan.table.header[position] for position in plan.unmapped],
    )
    setting = plans.setting_of(options=options, now=now)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_PACE)
        # Two imports at once would resolve the same persons twice.
        locks.advisory(locks.Namespace.IMPORT, 0)
        batch = _begin(wanted, plan, options, setting, actor, record)
        _stage(wanted, plan, batch, setting, options, watch or Unwatched())
        wanted.apply(batch=batch)
        traces.store(batch=batch)
        if options.lookalikes and kind in _OF_PEOPLE:
            report.lookalikes = lookalikes.of_new(batch=batch, most=options.lookalikes)
        _finish(batch, report, path, options, now)
        if options.dry_run or not report.created + report.updated + report.unchanged:
            transaction.set_rollback(True)
    return report


def _begin(
    kind: Kind,
    plan: Plan,
    options: Options,
    setting: Setting,
    actor: User | None,
    record: ImportRun | None,
) -> Batch:
    """The run's own row, and the batch that everything else works on."""
    now = setting.now
    code = slugify(options.source)
    if not code:
        raise BadOption("--source needs a name.")
    source = sources.ensure(code=code, name=options.source, kind=SourceKind.IMPORT, now=now)
    mapping = {name: plan.table.header[position] for name, position in plan.fields.items()}
    started = record or ImportRun.objects.create(
        kind=kind.name,
        source=source,
        file_name=plan.table.path.name[:255],
        file_digest=plan.table.digest,
        mapping=plan.told(),
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
        may_lock=record is None,
        notes=list(plan.ambiguous),
    )


def _stage(kind: Kind, plan: Plan, batch: Batch, setting: Setting, options: Options, watch: Watch) -> None:
    """COPY the readable rows into ``import_row``; what is wrong with others goes to ``import_error``."""
    extras = unmapped.extras(header=plan.table.header, positions=plan.extras)
    staged = [column for item in kind.fields for column in item.staged()]
    batch.open([*staged, *((extra.column, "text") for extra in extras)])
    mapped = [item for item in kind.fields if item.name in plan.fields]
    readers = [
        (plan.fields[item.name], item.reader(setting=setting), len(item.staged()), batch.fields[item.name])
        for item in mapped
    ]
    readers += [(extra.position, extra.read, 1, extra.label) for extra in extras]
    names = [name for item in mapped for name, _ in item.staged()] + [extra.column for extra in extras]
    country = plan.fields.get("country")
    source = _corrected(plan, batch, options, watch)
    try:
        batch.copy(names, _read(source, readers, batch, setting, country))
    except csvfiles.BadFile as error:
        raise UnreadableFile(str(error)) from error
    if batch.has("is_deleted"):
        batch.reject("is_deleted", "The record is deleted in the source.", "r.is_deleted")
    if batch.has("external_id") and batch.key == "external_id":
        batch.fold_twins(names)
    if kind.subject and extras:
        unmapped.settle(batch=batch, subject=kind.subject, columns=extras)


def _corrected(
    plan: Plan, batch: Batch, options: Options, watch: Watch
) -> Iterator[tuple[int, int, list[str]]]:
    """The rows of the file with the cells that a person has mended, without those they left out."""
    mended: dict[int, dict[int, str]] = {}
    for (row, position), text in options.corrections.items():
        mended.setdefault(row, {})[position] = text

    def ragged(row: int, line: int, reason: str) -> None:
        if row not in options.without:
            batch.fault(row, line, "", f"The row {reason}.")

    for count, (row, line, cells) in enumerate(plan.table.rows(ragged)):
        if not count % _PORTION:
            watch.read(rows=count)
        if row in mended:
            cells = [mended[row].get(position, cell) for position, cell in enumerate(cells)]
        if row not in options.without:
            yield row, line, cells


def _read(
    rows: Iterator[tuple[int, int, list[str]]],
    readers: Sequence[tuple[int, Any, int, str]],
    batch: Batch,
    setting: Setting,
    country: int | None,
) -> Iterator[Sequence[str | int | None]]:
    """The rows as COPY takes them; a row with a bad cell is told of and left out."""
    blanks = {width: (None,) * width for _, _, width, _ in readers}
    for row, line, cells in rows:
        # Phone numbers are written by the habits of their country.
        if country is not None:
            setting.row["country"] = cells[country].strip()
        out: list[Any] = [row, line]
        good = True
        for position, read, width, name in readers:
            text = cells[position].strip()
            found: Any = None
            if text:
                try:
                    found = read(formulas.plain(text) if text[0] == "'" else text)
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
    first = list(islice(_faults(batch), max(options.told, 1)))
    report.errors = first[: options.told]
    if options.errors is not None and (first or options.errors.exists()):
        _write_errors(options.errors, _faults(batch))
        report.error_file = str(options.errors) if first else ""
    if not options.dry_run:
        _close(batch, report, now)


def _faults(batch: Batch) -> Iterator[dict[str, Any]]:
    for row, line, name, reason in batch.faults():
        yield {"row": row, "line": line, "column": batch.fields.get(name, name), "reason": reason}


def _close(batch: Batch, report: Report, now: datetime) -> None:
    """Say in the run's own row what became of it, in the transaction of its rows."""
    closed = ImportRun.objects.filter(pk=batch.run.pk, state=ImportState.RUNNING, is_cancelled=False).update(
        state=ImportState.DONE,
        finished_at=now,
        updated_at=now,
        mapping=report.mapping,
        created_count=report.created,
        updated_count=report.updated,
        unchanged_count=report.unchanged,
        rejected_count=report.rejected,
        error_file=report.error_file[:500],
        notes=report.notes,
    )
    if not closed:
        raise Cancelled(_("The import was stopped; nothing was changed."))


def _write_errors(path: Path, faults: Iterable[Mapping[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("row", "column", "reason", "line"))
        writer.writerows(
            (f["row"], formulas.harmless(f["column"]), formulas.harmless(f["reason"]), f["line"])
            for f in faults
        )
