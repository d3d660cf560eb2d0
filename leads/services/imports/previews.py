"""What a file looks like: its first rows, and its columns with what stands in them. Nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from leads.domain import csvfiles
from leads.domain.values import BadValue
from leads.models import ImportRun
from leads.services.imports import kinds, plans, unmapped, uploads
from leads.services.imports.cells import LeaveOut
from leads.services.imports.plans import Table, UnreadableFile
from smarketing.core import formulas

SHOWN_ROWS = 8
# A form has at most a thousand fields; a file with more columns than these is shown in part.
SHOWN_COLUMNS = 200
_LOOKED_AT = 200
_SAMPLES = 3
_LONG = 80


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the file: ``what`` it is taken as, what stands in it, and of which type that is."""

    position: int
    name: str
    what: str
    samples: tuple[str, ...]
    type: str

    @property
    def is_blank(self) -> bool:
        """Whether the first rows hold nothing in it."""
        return not self.samples


def rows(*, run: ImportRun) -> list[tuple[int, list[str]]]:
    """The first rows below the header with their numbers. Raises ``FileGone`` or ``UnreadableFile``."""
    return [
        (row, [cell[:_LONG] for cell in cells[:SHOWN_COLUMNS]])
        for row, cells in _first(uploads.table_of(run=run), SHOWN_ROWS)
    ]


def columns(*, run: ImportRun, chosen: Mapping[str, str] | None = None) -> list[Column]:
    """The columns that have a name, as they are chosen or guessed. Raises as :func:`rows`."""
    table = uploads.table_of(run=run)
    what = {**uploads.guess(run=run), **(chosen or {})}
    named = [position for position, name in enumerate(table.header) if name]
    watched = unmapped.extras(header=table.header, positions=named[:SHOWN_COLUMNS])
    samples: dict[int, list[str]] = {extra.position: [] for extra in watched}
    for _row, cells in _first(table, _LOOKED_AT):
        for extra in watched:
            text = cells[extra.position].strip()
            found = samples[extra.position]
            if text and len(found) < _SAMPLES and text[:_LONG] not in found:
                found.append(text[:_LONG])
            _type(extra, text)
    return [
        Column(
            position=extra.position,
            name=table.header[extra.position],
            what=what.get(table.header[extra.position], "-"),
            samples=tuple(samples[extra.position]),
            type=extra.guess,
        )
        for extra in watched
    ]


def verdict(*, run: ImportRun, position: int, text: str, now: datetime) -> str:
    """What is wrong with ``text`` as a cell of that column, "" when it can be read.

    Whether what it names exists (an owner, a product) only the next check tells.
    """
    options = uploads.options_of(run=run)
    plan = plans.of_table(kind=kinds.get(name=run.kind), table=uploads.table_of(run=run), options=options)
    setting = plans.setting_of(options=options, now=now)
    for field in kinds.get(name=run.kind).fields:
        if plan.fields.get(field.name) == position and text.strip():
            try:
                field.reader(setting=setting)(formulas.plain(text.strip()))
            except (BadValue, LeaveOut) as error:
                return f"{plan.table.header[position]} {error}."
    return ""


def _first(table: Table, count: int) -> list[tuple[int, list[str]]]:
    try:
        return [(row, cells) for row, _line, cells in islice(table.rows(lambda *_: None), count)]
    except csvfiles.BadFile as error:
        raise UnreadableFile(str(error)) from error


def _type(extra: unmapped.Extra, text: str) -> None:
    try:
        extra.read(text)
    except BadValue:
        extra.possible.clear()
