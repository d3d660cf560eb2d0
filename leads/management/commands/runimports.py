"""``manage.py runimports``: carry out what is due of imports; the loop ``imports`` starts it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from leads.services.imports import execution
from smarketing.core import clock


class Command(BaseCommand):
    """Checks, imports and undos that were asked for in the browser or by a program."""

    help = (
        "Carry out the imports that are due and end. Only one such process works at a time; another one"
        " ends at once. The loop “imports” starts it by itself."
    )

    def handle(self, *_arguments: Any, **_options: Any) -> None:
        """Work until nothing has been due for a minute."""
        handled = execution.work(clock=clock.now, linger_seconds=60.0)
        self.stdout.write(f"imports: {handled}")
