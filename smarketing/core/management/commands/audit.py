"""``manage.py audit``: does everything hold that must hold?"""

from __future__ import annotations

import argparse
import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from smarketing.core import invariants


class Command(BaseCommand):
    """Runs the invariants' queries; exit code 1 and the rows if any is broken."""

    help = "Check every invariant of the database and print the rows that break one."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Which, how many rows, and the form of the output."""
        parser.add_argument("--only", metavar="I-NUMBER", help="one invariant")
        parser.add_argument("--sample", type=int, default=20, help="rows printed of each")
        parser.add_argument("--format", choices=["text", "json"], default="text")

    def handle(self, *_arguments: Any, **options: Any) -> None:
        """Check, print, exit."""
        findings = list(invariants.check(only=options["only"], sample=options["sample"]))
        if not findings:
            raise CommandError("No invariant of that number is known.")
        broken = [finding for finding in findings if not finding.holds]
        if options["format"] == "json":
            self.stdout.write(json.dumps([_plain(finding) for finding in findings], indent=2, default=str))
        else:
            for finding in findings:
                self._print(finding)
            self.stdout.write(f"{len(findings)} checked, {len(broken)} broken")
        if broken:
            raise SystemExit(1)

    def _print(self, finding: invariants.Finding) -> None:
        mark = "ok    " if finding.holds else "BROKEN"
        self.stdout.write(f"{mark} {finding.invariant.id:<6} {finding.invariant.title}")
        if not finding.holds:
            self.stdout.write(f"       {finding.total} rows: " + " | ".join(finding.columns))
            for row in finding.rows:
                self.stdout.write("       " + " | ".join(str(value) for value in row))


def _plain(finding: invariants.Finding) -> dict[str, Any]:
    return {
        "id": finding.invariant.id,
        "title": finding.invariant.title,
        "holds": finding.holds,
        "total": finding.total,
        "rows": [dict(zip(finding.columns, row, strict=True)) for row in finding.rows],
    }
