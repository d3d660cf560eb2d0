"""``manage.py runloops``: every loop, every second, in one process, without Celery."""

from __future__ import annotations

import argparse
import logging
import signal
import time
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand
from django.db import close_old_connections

from smarketing.core import clock, loops, runner

logger = logging.getLogger(__name__)
_OFTEN_SECONDS = 30.0  # loops at least this frequent are polled every second


class Command(BaseCommand):
    """Polls the loops until SIGTERM or Ctrl-C; a loop that fails is tried again, the others go on."""

    help = "Run every loop in one process: enough by itself when there is no broker."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Which loops, and whether only once."""
        parser.add_argument("names", nargs="*", help="only these loops")
        parser.add_argument("--once", action="store_true", help="one pass over each loop, then end")

    def handle(self, *_arguments: Any, **options: Any) -> None:
        """Poll."""
        self.asked_to_stop = False
        chosen = [loops.get(name) for name in options["names"]] or loops.all_loops()
        if options["once"]:
            for loop in chosen:
                self.stdout.write(f"{loop.name}: {runner.drain(loop, clock=clock.now)}")
            return
        for sign in (signal.SIGINT, signal.SIGTERM):
            signal.signal(sign, self._stop_soon)
        due_at = dict.fromkeys((loop.name for loop in chosen), 0.0)
        while not self.asked_to_stop:
            for loop in chosen:
                if time.monotonic() >= due_at[loop.name] and not self.asked_to_stop:
                    often = loop.every_seconds <= _OFTEN_SECONDS
                    due_at[loop.name] = time.monotonic() + (1.0 if often else loop.every_seconds)
                    self._run(loop)
            time.sleep(0.1)

    def _run(self, loop: loops.Loop) -> None:
        close_old_connections()  # one that a restarted server has cut
        try:
            runner.drain(loop, clock=clock.now, seconds=5.0)
        except Exception:
            logger.exception("loop_failed", extra={"loop": loop.name})

    def _stop_soon(self, _signal: int, _frame: FrameType | None) -> None:
        self.asked_to_stop = True
