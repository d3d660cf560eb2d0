"""``manage.py import KIND FILE --source NAME``: take records in from a CSV file or an Excel workbook."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from leads.services.imports import kinds, runs
from leads.services.imports.plans import Options
from leads.services.imports.runs import Report
from smarketing import env
from smarketing.core import clock
from smarketing.core.errors import DomainError


class Command(BaseCommand):
    """Import a file: whole or not at all, bad rows apart."""

    help = (
        "Import records from a CSV file or an Excel workbook (XLSX). Columns are recognised by name; --map"
        " sets what is not. Rows that can't be used are rejected into an error file, the rest goes in."
        " Running it again changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=kinds.names(), metavar="KIND", help=", ".join(kinds.names()))
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--source", required=True, help="the system the records come from")
        parser.add_argument(
            "--map",
            action="append",
            nargs="+",
            default=[],
            metavar="COLUMN=FIELD",
            help="which field a column is; “Column=-” leaves it out, “Column=+” makes it a custom attribute",
        )
        parser.add_argument("--key", default="external_id", choices=["external_id", "email"])
        parser.add_argument(
            "--dry-run", action="store_true", help="tell what would happen and change nothing"
        )
        parser.add_argument(
            "--keep-unmapped", action="store_true", help="keep other columns as custom attributes"
        )
        parser.add_argument(
            "--create-missing", action="store_true", help="make owners, companies, products that are unknown"
        )
        parser.add_argument("--dates", default="", choices=["dmy", "mdy"], help="order of 03/04/2024")
        parser.add_argument("--zone", default="", help="time zone of times without one (the organisation's)")
        parser.add_argument("--encoding", default=None, help="when it is not recognised")
        parser.add_argument("--delimiter", default=None, help="when it is not recognised")
        parser.add_argument("--sheet", default=None, help="of a workbook; the first visible one otherwise")
        parser.add_argument("--errors", type=Path, default=None, metavar="FILE", help="where faults go (CSV)")
        parser.add_argument("--format", default="text", choices=["text", "json"])

    def handle(self, *args: Any, **options: Any) -> None:
        now = clock.now()
        started = time.monotonic()
        try:
            report = runs.run(
                kind=options["kind"],
                path=options["file"],
                options=Options(
                    source=options["source"],
                    mapping=tuple(item for group in options["map"] for item in group),
                    key=options["key"],
                    dry_run=options["dry_run"],
                    keep_unmapped=options["keep_unmapped"],
                    create_missing=options["create_missing"],
                    dates=options["dates"],
                    zone=options["zone"],
                    encoding=options["encoding"],
                    delimiter=options["delimiter"],
                    sheet=options["sheet"],
                    errors=options["errors"] or _error_file(options["file"], f"{now:%Y%m%dT%H%M%S}"),
                ),
                actor=None,
                now=now,
            )
        except DomainError as error:
            raise CommandError(f"{options['file']}: {error.detail} Nothing was changed.") from error
        except DatabaseError as error:
            raise CommandError(f"The database refused: {error}Nothing was changed; try again.") from error
        seconds = time.monotonic() - started
        if options["format"] == "json":
            told = {**report.as_dict(), "seconds": round(seconds, 3)}
            self.stdout.write(json.dumps(told, ensure_ascii=False, indent=2))
        else:
            self._tell(report, seconds)
        if report.rejected and not report.created + report.updated + report.unchanged:
            first = report.errors[0]
            raise CommandError(
                f"None of the {report.rejected} rows could be used; nothing was changed."
                f" Row {first['row']}: {first['reason']}"
            )

    def _tell(self, report: Report, seconds: float) -> None:
        write = self.stdout.write
        write(f"{report.file}: {report.encoding}, delimiter {report.delimiter!r}, source {report.source}")
        for column, name in report.mapping.items():
            write(f"  {column} → {name}")
        if report.unmapped:
            write(f"  not mapped: {', '.join(report.unmapped)}")
        for note in report.notes:
            write(f"note: {note}")
        for fault in report.errors:
            write(f"row {fault['row']}, {fault['column'] or 'whole row'}: {fault['reason']}")
        if report.error_file:
            write(f"all faults: {report.error_file}")
        pace = f"{report.rows / seconds:,.0f} rows/s" if seconds else ""
        write(
            f"{'would be ' if report.dry_run else ''}created {report.created}, updated {report.updated},"
            f" unchanged {report.unchanged}, rejected {report.rejected} of {report.rows} {report.kind}"
            f" in {seconds:.2f} s ({pace})"
        )


def _error_file(path: Path, moment: str) -> Path:
    return env.HOME / "imports" / f"{path.stem}-{moment}.errors.csv"
