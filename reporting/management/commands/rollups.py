"""``manage.py rollups rebuild``: compute the website's days anew from the sessions and compare."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from reporting.services import website
from smarketing.core import clock


class Command(BaseCommand):
    """Exits with 1 when stored rows were wrong or missing."""

    help = "Compute every day of the website that still has visits, and say how many rows were wrong."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["rebuild"])

    def handle(self, *args: Any, **options: Any) -> None:
        now = clock.now()
        while website.run_once(now=now, limit=5000):  # what is only waiting is not wrong
            pass
        done = website.rebuild(now=now)
        self.stdout.write(f"days {done.days}, rows that were wrong or missing {done.rows}")
        if done.rows:
            raise CommandError("Some rollups were off; they are right now.")
