"""The test database: a copy of a template that is migrated once per state of the migrations."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import django
import psycopg2
from django.apps import apps
from django.core.management import call_command
from django.db import connection, connections

from smarketing import env


class TestDatabase:
    """The database of one test process."""

    __test__ = False  # its name starts like that of a class of tests

    def __init__(self, product: str, process: str) -> None:
        self.name = f"test_{product}_{process}"
        self.template = f"test_template_{_digest()}"

    def create(self) -> None:
        """Make the template if there is none of this state, and this process' copy of it."""
        with _alone():
            if not self._exists(self.template):
                self._make_template()
        self._copy()
        self._use(self.name)

    def renew(self) -> None:
        """Throw away all that tests have committed."""
        self._copy()

    def drop(self) -> None:
        """Remove the copy; the template stays for the next run."""
        connections.close_all()
        self._drop(self.name)

    def _copy(self) -> None:
        connections.close_all()
        self._drop(self.name)
        self._execute(f'CREATE DATABASE "{self.name}" TEMPLATE "{self.template}"')

    def _make_template(self) -> None:
        draft = f"{self.template}_draft"
        self._drop(draft)
        self._execute(f'CREATE DATABASE "{draft}"')
        self._use(draft)
        call_command("migrate", verbosity=0, interactive=False)
        connections.close_all()
        for (old,) in self._select("SELECT datname FROM pg_database WHERE datname LIKE 'test_template_%'"):
            if old != draft:
                # One that another run copies from just now is left for next time.
                with contextlib.suppress(psycopg2.OperationalError):
                    self._execute(f'DROP DATABASE IF EXISTS "{old}"')
        self._execute(f'ALTER DATABASE "{draft}" RENAME TO "{self.template}"')

    def _use(self, name: str) -> None:
        connections.close_all()
        connection.settings_dict["NAME"] = name

    def _exists(self, name: str) -> bool:
        return bool(self._select(f"SELECT 1 FROM pg_database WHERE datname = '{name}'"))  # noqa: S608

    def _drop(self, name: str) -> None:
        """Drop a database, whoever is still connected; one that is vacuumed just now is asked for again.

        A role that is no superuser may not end autovacuum; without FORCE the server does it by itself.
        """
        try:
            self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        except psycopg2.errors.InsufficientPrivilege:
            self._execute(f'DROP DATABASE IF EXISTS "{name}"')

    def _execute(self, statement: str) -> None:
        with _server() as cursor:
            cursor.execute(statement)

    def _select(self, query: str) -> list[tuple[object, ...]]:
        with _server() as cursor:
            cursor.execute(query)
            return cursor.fetchall()


@contextlib.contextmanager
def _server() -> Iterator[psycopg2.extensions.cursor]:
    """A cursor on the server's own database, where databases are made and dropped."""
    parameters = {**connection.get_connection_params(), "dbname": "postgres"}
    parameters.pop("cursor_factory", None)
    link = psycopg2.connect(**parameters)
    link.autocommit = True
    try:
        with link.cursor() as cursor:
            yield cursor
    finally:
        link.close()


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """One process of a parallel run makes the template; the others wait for it."""
    env.HOME.mkdir(parents=True, exist_ok=True)
    with (env.HOME / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _digest() -> str:
    """A name for the state of all migrations, and of what runs them."""
    state = hashlib.sha256(django.__version__.encode() + version("django-pghistory").encode())
    for config in sorted(apps.get_app_configs(), key=lambda c: c.label):
        for file in sorted(Path(config.path).glob("migrations/*.py")):
            state.update(f"{config.label}/{file.name}".encode() + file.read_bytes())
    return state.hexdigest()[:12]
