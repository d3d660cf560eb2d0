"""``manage.py token``: an API token for a user, printed once."""

from __future__ import annotations

import argparse
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from smarketing.core import clock
from smarketing.core.errors import DomainError
from smarketing.users.selectors import users
from smarketing.users.services import tokens


class Command(BaseCommand):
    """Issues a token."""

    help = "Make an API token that acts as a user. It is printed once and can't be read again."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """For whom, to do what, for how long."""
        parser.add_argument("--user", required=True, metavar="NAME|EMAIL")
        parser.add_argument("--scope", action="append", choices=tokens.SCOPES, required=True)
        parser.add_argument("--name", default="command line")
        parser.add_argument("--days", type=int, help="it expires after so many days (default: never)")

    def handle(self, *_arguments: Any, **options: Any) -> None:
        """Print the token alone on standard output."""
        user = users.find(options["user"])
        if user is None:
            raise CommandError(f"No user, or more than one, is called “{options['user']}”.")
        now, days = clock.now(), options["days"]
        try:
            issued = tokens.issue(
                user=user,
                name=options["name"],
                scopes=options["scope"],
                expires_at=None if days is None else now + timedelta(days=days),
                actor=None,
                now=now,
            )
        except DomainError as error:
            raise CommandError(error.detail) from error
        self.stdout.write(issued.secret)
