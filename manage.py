#!/usr/bin/env python3
"""Entry point of every command: ``python manage.py COMMAND``.

A command that needs the embedded servers finds them running: it uses those that ``up`` or another
command has started below the same ``SMARKETING_HOME``, or starts them for as long as it lasts.
"""

import os
import sys

from django.core.management import execute_from_command_line
from django.db import ProgrammingError

from smarketing import env
from smarketing.core import supervisor
from smarketing.embedded.process import StartError
from smarketing.embedded.servers import used

# Commands that do without a database, or (up) bring their servers up themselves.
WITHOUT_SERVERS = frozenset(
    {
        "check",
        "collectstatic",
        "compilemessages",
        "diffsettings",
        "findstatic",
        "help",
        "makemessages",
        "makemigrations",
        "show_wiring",
        "spectacular",
        "startapp",
        "up",
        "version",
    }
)

_NO_SUCH_TABLE = "42P01"


def main(argv: list[str]) -> int:
    """Run the command named on the command line; the exit status."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smarketing.settings")
    if argv[1:2] == ["up"]:
        return supervisor.main(argv[2:])
    names = env.embedded() if needs_servers(argv[1:]) else []
    try:
        with used(names, env.HOME):
            execute_from_command_line(argv)
    except StartError as error:
        sys.stderr.write(f"manage.py: {error}\n")
        return 1
    except ProgrammingError as error:
        if getattr(error.__cause__, "pgcode", "") != _NO_SUCH_TABLE:
            raise
        sys.stderr.write("manage.py: the database has no tables yet: run “manage.py prepare”\n")
        return 1
    return 0


def needs_servers(arguments: list[str]) -> bool:
    """Whether the command line names a command that talks to the database or the broker."""
    if not arguments or {"-h", "--help", "--version"} & set(arguments):
        return False
    if arguments[0] == "check":
        return "--database" in arguments
    return arguments[0] not in WITHOUT_SERVERS


if __name__ == "__main__":
    sys.exit(main(sys.argv))
