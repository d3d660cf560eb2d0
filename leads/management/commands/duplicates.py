"""``manage.py duplicates find [--kind person|company] [--evaluate FILE]``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from leads.models import DuplicateKind
from leads.services import finder, finder_evaluation
from leads.services.finder_evaluation import Evaluation
from smarketing.core import clock
from smarketing.core.errors import DomainError


class Command(BaseCommand):
    """Find records that may be one, or measure the finder on a file whose truth is known."""

    help = "Find people and companies that may be double. Nothing is merged."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=("find",))
        parser.add_argument("--kind", choices=DuplicateKind.values, action="append", help="default: both")
        parser.add_argument(
            "--evaluate", type=Path, metavar="FILE", help="a CSV file with a column “cluster”"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["evaluate"]:
            try:
                self._tell(finder_evaluation.evaluate(path=options["evaluate"]))
            except (OSError, UnicodeDecodeError, DomainError) as error:
                raise CommandError(str(error)) from error
            return
        for kind in options["kind"] or DuplicateKind.values:
            found = finder.find(kind=kind, now=clock.now())
            self.stdout.write(
                f"{kind}: {found.records:,} records, {found.compared:,} pairs compared; offered "
                f"{found.certain:,} certain and {found.probable:,} probable"
            )
            if found.blocks_left_out:
                self.stdout.write(
                    f"  left out: {found.blocks_left_out:,} keys that more than "
                    f"{finder.MOST_IN_A_BLOCK} records share (the largest {found.largest_block:,})"
                )

    def _tell(self, e: Evaluation) -> None:
        self.stdout.write(
            f"{e.rows:,} rows; fields used: {', '.join(e.used)}\n"
            f"true pairs {e.true_pairs:,}, of which {e.resolvable:,} resolvable (two facts in common)\n"
            f"offered {e.offered:,}, right {e.right:,}: precision {e.precision:.4f}\n"
            f"recall {e.recall:.4f} of all true pairs, {e.resolvable_recall:.4f} of the resolvable ones\n"
            f"certain {e.certain:,}, right {e.certain_right:,}\n"
            f"compared {e.compared:,} pairs; {e.missed_by_blocking:,} likely true pairs shared no key"
        )
