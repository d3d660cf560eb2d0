"""``manage.py up``: the whole product on one machine, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand

from smarketing.core import supervisor


class Command(BaseCommand):
    """Documents the command; ``manage.py`` runs the supervisor without loading Django."""

    help = "Start everything: embedded servers, web, worker and beat. Ctrl-C stops everything."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """The options of the supervisor."""
        supervisor.add_arguments(parser)

    def handle(self, *_arguments: Any, **_options: Any) -> None:
        """Say how it is run: a parent of this size would start twice as slowly."""
        self.stderr.write("Run it as: manage.py up")
