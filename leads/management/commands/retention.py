"""``manage.py retention``: remove data whose time is up, or say how much it would be."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from leads.services import retention
from smarketing.core import clock


class Command(BaseCommand):
    """The loop ``retention`` does the same every day."""

    help = "Remove data whose retention period is over. --dry-run only counts."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count and remove nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        now = clock.now()
        if options["dry_run"]:
            for each in retention.standing(now=now):
                kept = "for ever" if each.rule.days is None else f"{each.rule.days} days"
                self.stdout.write(f"{each.data_class.code:<18} kept {kept:<10} due {each.due}")
            return
        for code, count in retention.run_all(now=now).items():
            self.stdout.write(f"{code:<18} removed {count}")
