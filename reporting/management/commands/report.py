"""``manage.py report KEY``: a report as JSON, CSV or a table for the terminal."""

from __future__ import annotations

import csv
import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from reporting.domain import rendering
from reporting.reports import catalogue
from smarketing.core import clock
from smarketing.core.errors import DomainError
from smarketing.users.selectors import organisation


class Command(BaseCommand):
    """Print a report: the same numbers as its page."""

    help = "Print a report: sources, website, funnel, supply, fairness or wins."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("key", help="which report")
        parser.add_argument("--from", dest="first", default="", help="first day, such as 2026-01-01")
        parser.add_argument("--to", dest="last", default="", help="last day, included")
        parser.add_argument("--param", action="append", default=[], metavar="NAME=VALUE", dest="params")
        parser.add_argument("--format", choices=["json", "csv", "table"], default="table", dest="style")

    def handle(self, *args: Any, **options: Any) -> None:
        given = {"from": options["first"], "to": options["last"]}
        for pair in options["params"]:
            name, found, value = pair.partition("=")
            if not found:
                raise CommandError(f"--param {pair}: write NAME=VALUE")
            given[name.strip()] = value.strip()
        try:
            result = catalogue.get(options["key"]).run(
                {name: value for name, value in given.items() if value},
                zone=organisation.zone(),
                now=clock.now(),
            )
        except DomainError as error:
            lines = [error.detail, *(f"  {e.field}: {e.detail}" for e in error.errors)]
            raise CommandError("\n".join(lines)) from error
        if options["style"] == "json":
            self.stdout.write(json.dumps(rendering.as_json(result), ensure_ascii=False, indent=2))
        elif options["style"] == "csv":
            csv.writer(self.stdout).writerows(rendering.as_lines(result))
        else:
            self.stdout.write(rendering.as_text(result))
