"""``manage.py clocks``: whether the machine's clock is trusted, and to trust it again."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand

from smarketing.core import clock, heartbeats, loops


class Command(BaseCommand):
    """A sweep that acts on a clock gone wrong can't be undone; so a person lifts the hold."""

    help = "Say whether loops are held because the machine's clock has jumped; “resume” lifts the hold."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """What to do."""
        parser.add_argument("action", nargs="?", choices=["status", "resume"], default="status")

    def handle(self, *_arguments: Any, **options: Any) -> None:
        """Look or lift."""
        held_at = heartbeats.clock_held_since()
        if held_at is None:
            self.stdout.write("The clock is trusted; nothing is held.")
        elif options["action"] == "resume":
            heartbeats.trust_clock()
            self.stdout.write(f"Resumed. It is now {clock.now():%Y-%m-%d %H:%M:%S} UTC.")
        else:
            names = ", ".join(loop.name for loop in loops.all_loops() if loop.true_clock)
            self.stdout.write(
                f"Held since {held_at:%Y-%m-%d %H:%M:%S} UTC, as the clock seemed to jump: {names}.\n"
                f"It is now {clock.now():%Y-%m-%d %H:%M:%S} UTC. If that is right: manage.py clocks resume"
            )
