"""A run before it runs: the file arrives, is looked at, its columns are named, its cells mended.

Each step stores what was chosen in the run and changes nothing else. What a step can't use raises a
``DomainError`` and leaves the run as it was.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from leads.domain import columns
from leads.models import ImportMapping, ImportRun, ImportState, SourceKind
from leads.services import sources
from leads.services.imports import files, kinds, plans
from leads.services.imports.plans import Options, Table
from smarketing.core import locks
from smarketing.core.errors import Conflict, FieldError, Invalid
from smarketing.users.models import User

MAX_CORRECTIONS = 2_000
MAX_CELL = 4_000
# In these states a person may still say how the file is to be taken in.
OPEN = (ImportState.UPLOADED, ImportState.CHECKED, ImportState.FAILED)
_READING = ("encoding", "delimiter", "sheet")


class NotOpen(Conflict):
    """The run is being worked on or is over; it can't be prepared any more."""

    code = "import_not_open"


class FileGone(Conflict):
    """The file of the run has been removed, by a person or because its time was up."""

    code = "import_file_gone"


@transaction.atomic
def receive(
    *, chunks: Iterable[bytes], file_name: str, kind: str, source: str, actor: User, now: datetime
) -> ImportRun:
    """Store a file that arrives in portions, look at it, and guess its columns.

    Raises ``KindNotAllowed``, ``TooLarge``, ``UnreadableFile`` or ``BadOption``; then nothing is left.
    """
    kinds.check(name=kind, user=actor)
    code = slugify(source)[:60]
    if not code:
        detail = _("Name the system that the records come from, with at least one letter or digit.")
        raise Invalid(detail, errors=[FieldError("source", "required", detail)])
    known = sources.ensure(code=code, name=source[:120], kind=SourceKind.IMPORT, now=now)
    name, size = files.store(chunks=chunks, limit=settings.MAX_BODY_BYTES)
    try:
        table = plans.open_table(path=files.path_of(name=name), options=Options(source=code))
        run = ImportRun(
            kind=kind,
            source=known,
            file_name=" ".join(file_name.split())[-255:] or "file",
            stored_file=name,
            file_size=size,
            state=ImportState.UPLOADED,
            actor=actor,
            started_at=now,
            created_at=now,
            updated_at=now,
        )
        _look(run, table)
        run.save(force_insert=True)
    except BaseException:
        files.remove(name=name)
        raise
    return run


@transaction.atomic
def take_guess(*, run: ImportRun, now: datetime) -> ImportRun:
    """Name the columns as their names suggest. Raises as :func:`map_columns`."""
    return map_columns(
        run=run,
        columns=guess(run=run),
        key=run.choices.get("key", "external_id"),
        create_missing=bool(run.choices.get("create_missing")),
        dates=run.choices.get("dates", ""),
        zone=run.choices.get("zone", ""),
        now=now,
    )


def options_of(*, run: ImportRun) -> Options:
    """How the run's file is to be taken in, by what was chosen so far."""
    chosen = run.choices
    return Options(
        source=run.source.code,
        mapping=[f"{column}={what}" for column, what in chosen.get("columns", {}).items()],
        key=chosen.get("key", "external_id"),
        create_missing=bool(chosen.get("create_missing")),
        dates=chosen.get("dates", ""),
        zone=chosen.get("zone", ""),
        encoding=chosen.get("encoding"),
        delimiter=chosen.get("delimiter"),
        sheet=chosen.get("sheet"),
        errors=files.errors_of(name=run.stored_file) if run.stored_file else None,
        corrections=_cells(run),
        without=frozenset(run.corrections.get("without", ())),
    )


def table_of(*, run: ImportRun) -> Table:
    """The run's file, open. Raises :class:`FileGone` or ``UnreadableFile``."""
    if not run.stored_file or not files.path_of(name=run.stored_file).is_file():
        raise FileGone(_("The file of this import has been removed. Upload it again."))
    return plans.open_table(path=files.path_of(name=run.stored_file), options=options_of(run=run))


@transaction.atomic
def read_as(
    *, run: ImportRun, encoding: str | None, delimiter: str | None, sheet: str | None, now: datetime
) -> ImportRun:
    """Choose how the bytes become cells; what was said of the columns begins anew where they differ.

    Raises :class:`NotOpen`, :class:`FileGone`, ``UnreadableFile``.
    """
    run = _opened(run)
    wanted = {"encoding": encoding or None, "delimiter": delimiter or None, "sheet": sheet or None}
    run.choices = {**run.choices, **wanted}
    _look(run, table_of(run=run))
    run.corrections, run.check_report, run.problem = {}, None, ""
    return _prepared(run, now)


@transaction.atomic
def map_columns(
    *,
    run: ImportRun,
    columns: Mapping[str, str],
    key: str = "external_id",
    create_missing: bool = False,
    dates: str = "",
    zone: str = "",
    now: datetime,
) -> ImportRun:
    """Say what each column is: a field, "+" for a custom attribute, "-" to leave it out.

    The choice is remembered for files of this source with the same header. Raises :class:`NotOpen`,
    :class:`FileGone`, ``UnreadableFile`` or ``BadOption``.
    """
    run = _opened(run)
    kept = {name: run.choices.get(name) for name in _READING}
    run.choices = {
        **kept,
        "columns": {name: columns.get(name, "-") for name in run.header if name},
        "key": key,
        "create_missing": create_missing,
        "dates": dates,
        "zone": zone,
    }
    options = options_of(run=run)
    plan = plans.of_table(kind=kinds.get(name=run.kind), table=table_of(run=run), options=options)
    plans.setting_of(options=options, now=now)
    run.mapping, run.check_report, run.problem = plan.told(), None, ""
    remembered = {name: value for name, value in run.choices.items() if name not in _READING}
    ImportMapping.objects.update_or_create(
        source=run.source,
        kind=run.kind,
        header_digest=_digest(run.header),
        defaults={"choices": remembered, "updated_at": now},
        create_defaults={"choices": remembered, "created_at": now, "updated_at": now},
    )
    return _prepared(run, now)


@transaction.atomic
def correct(*, run: ImportRun, row: int, position: int, text: str, now: datetime) -> ImportRun:
    """Put ``text`` in place of a cell; the file itself stays as it is. Raises :class:`NotOpen`."""
    run = _opened(run)
    if not 0 <= position < len(run.header) or row < 2 or len(text) > MAX_CELL or "\0" in text:
        raise Invalid(_("There is no such cell, or the text is too long."))
    cells = {**run.corrections.get("cells", {}), f"{row}:{position}": text}
    return _corrected(run, {**run.corrections, "cells": cells}, now)


@transaction.atomic
def leave_out(*, run: ImportRun, row: int, is_out: bool, now: datetime) -> ImportRun:
    """Leave a row of the file out, or take it in again. Raises :class:`NotOpen`."""
    run = _opened(run)
    rows = set(run.corrections.get("without", ()))
    rows = rows | {row} if is_out else rows - {row}
    return _corrected(run, {**run.corrections, "without": sorted(rows)}, now)


def _corrected(run: ImportRun, corrections: dict[str, Any], now: datetime) -> ImportRun:
    count = len(corrections.get("cells", {})) + len(corrections.get("without", ()))
    if count > MAX_CORRECTIONS:
        detail = _("More than %(n)d corrections: mend the file itself and upload it again.")
        raise Invalid(detail % {"n": MAX_CORRECTIONS})
    run.corrections = corrections
    return _prepared(run, now, state=run.state)


def _cells(run: ImportRun) -> dict[tuple[int, int], str]:
    found: dict[tuple[int, int], str] = {}
    for place, text in run.corrections.get("cells", {}).items():
        row, _colon, position = place.partition(":")
        found[int(row), int(position)] = text
    return found


def _look(run: ImportRun, table: Table) -> None:
    """Note what the file is read as, and what its columns are by name or by the last file's choice."""
    header = list(table.header)
    fresh = header != run.header
    run.header, run.file_digest = header, table.digest
    run.sheets = list(getattr(table, "sheets", ()))
    found = {
        "encoding": table.encoding if table.delimiter else None,
        "delimiter": table.delimiter or None,
        "sheet": getattr(table, "sheet", None),
    }
    run.choices = {**({} if fresh else run.choices), **found}
    if not fresh:
        return
    known = ImportMapping.objects.filter(
        source=run.source, kind=run.kind, header_digest=_digest(header)
    ).first()
    if known is not None:
        run.choices |= {**known.choices, "remembered": True}


def guess(*, run: ImportRun) -> dict[str, str]:
    """Column → field, "+" or "-": what was chosen, else what the names suggest."""
    if chosen := run.choices.get("columns"):
        return {name: chosen.get(name, "-") for name in run.header if name}
    blank = plans.blank_columns(table=table_of(run=run))
    found = columns.recognise(run.kind, run.header, blank=blank)
    fields = kinds.get(name=run.kind).by_name
    # One column has one choice; what shares a column with another field does so by itself.
    told = {run.header[position]: name for name, position in found.fields.items() if name in fields}
    return {name: told.get(name, "-") for name in run.header if name}


def _digest(header: Iterable[str]) -> str:
    return hashlib.sha256(json.dumps(list(header), ensure_ascii=False).encode()).hexdigest()


def _opened(run: ImportRun) -> ImportRun:
    """The run, locked, if a person may still prepare it."""
    locked = next(iter(locks.rows(ImportRun.objects.select_related("source", "actor"), [run.pk])), None)
    if locked is None or locked.state not in OPEN:
        raise NotOpen(_("This import is under way or over; it can't be changed any more."))
    return locked


def _prepared(run: ImportRun, now: datetime, state: str = ImportState.UPLOADED) -> ImportRun:
    run.state, run.updated_at = state, now
    run.save(
        update_fields=[
            "header",
            "sheets",
            "choices",
            "corrections",
            "check_report",
            "mapping",
            "file_digest",
            "state",
            "problem",
            "updated_at",
        ]
    )
    return run
