"""``manage.py demo_data``: fill an empty installation with a year of the demo company."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from smarketing.core import clock
from smarketing.demo import company
from smarketing.demo.simulation import Simulation
from smarketing.demo.story import CAST, DOMAIN, PASSWORD, SHOWN
from smarketing.users.models import User

SIZES = {"small": 100, "medium": 1_500}


@contextmanager
def _unhurried_commits() -> Iterator[None]:
    """Let commits not wait for the disk, a thousand times: after a power cut the demo is told afresh.

    The next commit that waits, of whoever makes it, waits for all of these too.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET synchronous_commit")


class Command(BaseCommand):
    """Tell the year by the real services."""

    help = "Fill an empty installation with the demo company. Refuses where real users exist."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--size", choices=sorted(SIZES), default="small")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--end", help="last day of the year, such as 2026-01-31; default: today")
        parser.add_argument("--if-fresh", action="store_true", help="do nothing when there are users already")

    def handle(self, *args: Any, **options: Any) -> None:
        if User.objects.filter(is_demo=False).exists():
            if options["if_fresh"]:
                return
            raise CommandError("This installation has users who are not demo users; nothing was changed.")
        if User.objects.exists():
            if not options["if_fresh"]:
                raise CommandError("The demo company is here already; start afresh with script/demo --fresh.")
            self._print_sign_ins()
            return
        end = self._end(options["end"])
        began = time.monotonic()
        with _unhurried_commits():
            world = company.set_up(start=end - company.YEAR, end=end, leads=SIZES[options["size"]])
            simulation = Simulation(world, count=SIZES[options["size"]], seed=options["seed"], end=end)
            steps = simulation.run()
            company.settle(now=end)
        self.stdout.write(f"demo company: {steps} steps in {time.monotonic() - began:.1f} s")
        self._print_sign_ins()

    def _end(self, given: str | None) -> datetime:
        if given is None:
            return clock.now().replace(second=0, microsecond=0)
        try:
            return datetime.fromisoformat(given).replace(tzinfo=UTC)
        except ValueError as error:
            raise CommandError("--end: write the day as 2026-01-31") from error

    def _print_sign_ins(self) -> None:
        self.stdout.write("sign in as:")
        for colleague in CAST:
            if colleague.key in SHOWN:
                self.stdout.write(f"  {colleague.role.value:<18} {colleague.key}@{DOMAIN}  {PASSWORD}")
