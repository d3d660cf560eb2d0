"""``manage.py adduser``: add a colleague from the command line, the first admin for one."""

from __future__ import annotations

import argparse
import getpass
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from smarketing.core import clock
from smarketing.core.errors import DomainError
from smarketing.users.domain.roles import Role
from smarketing.users.services import users


class Command(BaseCommand):
    """Adds a user."""

    help = "Add a user. The password is asked for, or read from standard input."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Who, with which role, and how the password comes."""
        parser.add_argument("--email", required=True)
        parser.add_argument("--name", required=True)
        parser.add_argument("--role", required=True, choices=[role.value for role in Role])
        parser.add_argument("--time-zone", default="UTC")
        way = parser.add_mutually_exclusive_group()
        way.add_argument("--password-stdin", action="store_true", help="first line of standard input")
        way.add_argument("--no-password", action="store_true", help="they set one by “forgot password”")

    def handle(self, *_arguments: Any, **options: Any) -> None:
        """Add, or say what is wrong."""
        password: str | None = None
        if options["password_stdin"]:
            password = sys.stdin.readline().rstrip("\r\n")
        elif not options["no_password"]:
            password = getpass.getpass("Password: ")
            if password != getpass.getpass("Again: "):
                raise CommandError("The two passwords differ.")
        try:
            user = users.create(
                name=options["name"],
                email=options["email"],
                role=options["role"],
                time_zone=options["time_zone"],
                password=password,
                actor=None,
                now=clock.now(),
            )
        except DomainError as error:
            details = "".join(f"\n  {e.field}: {e.detail}" for e in error.errors)
            raise CommandError(f"{error.detail}{details}") from error
        self.stdout.write(f"added {user.name} <{user.email}> as {user.role}")
