"""``manage.py journeys rebuild``: the nightly check of the projection."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from reporting.services import journeys


class Command(BaseCommand):
    """Recompute every journey from the ledgers."""

    help = "Rebuild the journeys; says how many rows were wrong or missing (0 when all is well)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["rebuild"])

    def handle(self, *args: Any, **options: Any) -> None:
        changed = journeys.rebuild()
        self.stdout.write(f"journeys corrected: {changed}")
