"""``manage.py show_wiring``: which fact makes whom act, and which loops there are."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from smarketing.core import events, loops


class Command(BaseCommand):
    """Prints the two tables of what happens by itself."""

    help = "Show the facts with their subscribers, and the loops."

    def handle(self, *_arguments: Any, **_options: Any) -> None:
        """Print facts, then loops."""
        self.stdout.write("Facts → subscribers, in the order in which they act\n")
        for fact, handlers in events.wiring():
            self.stdout.write(f"  {fact.__module__}.{fact.__name__}")
            for handler in handlers:
                name = getattr(handler, "__qualname__", type(handler).__qualname__)
                self.stdout.write(f"    → {handler.__module__}.{name}")
        self.stdout.write("\nLoops\n")
        for loop in loops.all_loops():
            held = ", needs a true clock" if loop.true_clock else ""
            self.stdout.write(
                f"  {loop.name:<20} every {loop.every_seconds:g} s, ≤ {loop.limit} at a time, "
                f"queue {loop.queue}{held}"
            )
