"""``manage.py replay``: what versions of the definition would have done to the leads of a period."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import date, datetime, time, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from funnel.models import DefinitionVersion
from funnel.services import replays
from smarketing.core import clock
from smarketing.users.selectors import organisation


class Command(BaseCommand):
    """``--due`` carries out what was asked for on the page; else computes and prints, keeping nothing."""

    help = "Replay versions of the definition on the leads of a period."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--due", action="store_true", help="carry out the replays that wait")
        parser.add_argument("--version-number", type=int, action="append", default=[], dest="numbers")
        parser.add_argument("--from", dest="first", default="", help="first day, such as 2026-01-01")
        parser.add_argument("--to", dest="last", default="", help="last day, included")
        parser.add_argument("--format", choices=["json", "text"], default="text", dest="style")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["due"]:
            replays.work(clock=clock.now)
            return
        found = {v.number: v for v in DefinitionVersion.objects.filter(number__in=options["numbers"])}
        unknown = [n for n in options["numbers"] if n not in found]
        if unknown or not found:
            known = ", ".join(str(n) for n in DefinitionVersion.objects.values_list("number", flat=True))
            raise CommandError(f"Name versions with --version-number. There are: {known}")
        start, end = _period(options["first"], options["last"])
        results = replays.compute(documents=[v.body for v in found.values()], start=start, end=end)
        told = [{"version": number, **result} for number, result in zip(found, results, strict=True)]
        if options["style"] == "json":
            self.stdout.write(json.dumps(told, ensure_ascii=False, indent=2))
            return
        for result in told:
            won, accepted = result["won"], result["accepted"]
            self.stdout.write(
                f"version {result['version']}: {result['qualified']} would have qualified,"
                f" {result['both']} of {result['delivered']} delivered among them;"
                f" accepted {accepted['k']} of {accepted['n']}, won {won['k']} of {won['n']};"
                f" missed {result['missed']['n']} customers"
            )


def _period(first: str, last: str) -> tuple[datetime, datetime]:
    """The days as an interval in the organisation's zone; the last year without them."""
    zone = organisation.zone()
    try:
        to = date.fromisoformat(last) if last else clock.now().astimezone(zone).date()
        since = date.fromisoformat(first) if first else to - timedelta(days=365)
    except ValueError as error:
        raise CommandError(f"--from and --to take days such as 2026-01-31 ({error})") from error
    start = datetime.combine(since, time.min, zone)
    return start, datetime.combine(to + timedelta(days=1), time.min, zone)
