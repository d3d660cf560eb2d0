"""``manage.py scores rebuild``: compute interest anew from the events and compare."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from funnel.services import rescoring
from smarketing.core import clock

TOLERANCE = 1e-9


class Command(BaseCommand):
    """Exits with 1 when the stored numbers were off by more than the tolerance."""

    help = "Compute every person's interest from the events, and say how far the stored numbers were off."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["rebuild"])

    def handle(self, *args: Any, **options: Any) -> None:
        done = rescoring.rebuild(now=clock.now())
        self.stdout.write(
            f"persons {done.people}, open leads {done.leads}, "
            f"largest difference {done.worst:.1e}, other instants of qualification {done.instants}"
        )
        if done.worst > TOLERANCE or done.instants:
            raise CommandError("The stored numbers were off; they are right now.")
