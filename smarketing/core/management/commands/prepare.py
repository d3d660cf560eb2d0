"""``manage.py prepare``: bring database and static files to the state of the code."""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import random
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from psycopg2.errors import LockNotAvailable

from smarketing.core import checks, supervisor

_TRIES = 30


class Command(BaseCommand):
    """What has to be done once before web and worker start; does nothing where all is done."""

    help = "Migrate, refuse a forgetful database server, collect static files, fill a fresh demo."
    requires_system_checks: list[str] = []  # noqa: RUF012 - Django's attribute; migrate runs its own

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Whether to fill a fresh database."""
        parser.add_argument(
            "--size", choices=["small", "medium"], help="fill a fresh database with demo data"
        )

    def handle(self, *_arguments: Any, **options: Any) -> None:
        """Prepare."""
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self.stdout.write("migrating …")
            self.stdout.flush()
            migrate_patiently()
        checks.refuse_forgetful_database()
        self._collect_static_files()
        greeting = io.StringIO()
        if options["size"] and "demo_data" in get_commands():
            demo = {"size": options["size"], "seed": 1, "if_fresh": True}
            call_command("demo_data", **demo)
            call_command("demo_data", **demo, stdout=greeting)  # the second time it only says how to sign in
        supervisor.note_prepared(options["size"], greeting.getvalue().rstrip())

    def _collect_static_files(self) -> None:
        """Collect them where they are served from a collection, once per state of the sources."""
        root = Path(settings.STATIC_ROOT)
        root.mkdir(parents=True, exist_ok=True)
        if not hasattr(staticfiles_storage, "manifest_name"):
            return  # served where they lie
        state, stamp = static_sources(), root / ".sources"
        if not stamp.exists() or stamp.read_text() != state:
            self.stdout.write("collecting static files …")
            self.stdout.flush()
            call_command("collectstatic", verbosity=0, interactive=False, clear=True)
            stamp.write_text(state)


def migrate_patiently() -> None:
    """Migrate without making others wait: give up a lock soon and come again (I-26).

    A statement that waits for a table's lock makes everybody behind it wait as well; half a second is
    not noticed. Raises the last error when a lock could not be had in thirty tries.
    """
    for attempt in range(1, _TRIES + 1):
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '500ms'")
            call_command("migrate", verbosity=0, interactive=False)
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable) or attempt == _TRIES:
                raise
            time.sleep(random.uniform(0.5, 2.0))  # noqa: S311 - only spreads the tries
        else:
            return
        finally:
            connection.close()  # with the limit that was set on it


def static_sources() -> str:
    """A digest of name, size and time of every static file that the finders know."""
    state = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            found = os.stat(storage.path(name))
            state.update(f"{name} {found.st_size} {found.st_mtime_ns}\n".encode())
    return state.hexdigest()
