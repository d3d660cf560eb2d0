"""``manage.py createsuperuser`` points to the command that knows our roles."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError

_ANSWER = (
    "Smarketing has roles, not superusers. Use:\n"
    "  manage.py adduser --role admin --name 'Ada Admin' --email ada@example.com"
)


class Command(BaseCommand):
    """Refuses, and says what to type instead, whatever options came with it."""

    help = "Use adduser: Smarketing has roles, not superusers."

    def run_from_argv(self, argv: list[str]) -> None:
        """Refuse before the options are parsed: those of Django's own command are unknown here."""
        self.stderr.write(_ANSWER)
        sys.exit(1)

    def handle(self, *_arguments: Any, **_options: Any) -> None:
        """Refuse."""
        raise CommandError(_ANSWER)
