"""``manage.py deadlines``: whether stored deadlines are what today's time zone data makes of them (I-13)."""

from __future__ import annotations

import argparse
from importlib.metadata import version
from typing import Any

from django.core.management.base import BaseCommand

from sla.selectors import recalculated
from sla.services import recalculations
from smarketing.core import clock


class Command(BaseCommand):
    """A new tzdata can move an hour that a running promise counts; nobody's deadline moves unseen."""

    help = "Name the open promises whose deadline new time zone data would move; “recalculate” moves them."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """What to do."""
        parser.add_argument("action", nargs="?", choices=["check", "recalculate"], default="check")

    def handle(self, *_arguments: Any, **options: Any) -> None:
        """Look, and move what differs, each on record."""
        now, data = clock.now(), f"tzdata {version('tzdata')}"
        count = 0
        for found in recalculated.shifted(now=now):
            count += 1
            self.stdout.write(
                f"clock {found.clock_id}, lead {found.lead_id}, {found.owner}:"
                f" due {found.stored:%Y-%m-%d %H:%M} → {found.counted:%Y-%m-%d %H:%M} UTC"
            )
            if options["action"] == "recalculate":
                recalculations.recalculate(clock_id=found.clock_id, now=now, reason=data)
        if not count:
            self.stdout.write(f"Every open deadline is as {data} counts it.")
        elif options["action"] == "recalculate":
            self.stdout.write(f"{count} recalculated by {data}, each on record.")
        else:
            self.stdout.write(f"{count} differ by {data}. To move them: manage.py deadlines recalculate")
