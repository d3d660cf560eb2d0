"""What all tests share: running servers and a fresh database, made from a migrated template.

Each process of a parallel run gets a database of its own on one embedded server. Migrating takes
seconds, copying a template a tenth of one; so the template is kept between runs for as long as no
migration changes.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import TransactionTestCase
from hypothesis import HealthCheck
from hypothesis import settings as examples
from pytest_django.plugin import DjangoDbBlocker

from smarketing import env
from smarketing.embedded.servers import used
from tests import databases
from tests.browsers import chromium  # noqa: F401 - a fixture; of one definition, for there is one per process

# Speed is measured by bench/, not by tests: an example may take long on a machine that others use too.
examples.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
examples.load_profile("house")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the project's own."""
    parser.addoption("--database-only", action="store_true", help="only tests that use the database")


@pytest.hookimpl(trylast=True)  # after pytest-django has marked what uses the database
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the database-facing part when asked to."""
    if config.getoption("--database-only"):
        kept = [item for item in items if _uses_database(item)]
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept


def _uses_database(item: pytest.Item) -> bool:
    fixtures: list[str] = getattr(item, "fixturenames", [])
    return item.get_closest_marker("django_db") is not None or bool(
        {"db", "transactional_db"} & set(fixtures)
    )


@pytest.fixture(scope="session")
def embedded_servers() -> Iterator[None]:
    """The embedded servers, unless the environment names others."""
    with used(env.embedded(), env.HOME):
        yield


@pytest.fixture(scope="session")
def django_db_setup(
    embedded_servers: None, worker_id: str, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """Replaces pytest-django's: a database of this process, copied from the migrated template."""
    with django_db_blocker.unblock():
        database = databases.TestDatabase(settings.DATABASES["default"]["NAME"], worker_id)
        database.create()
    # Tests that commit leave rows behind. Truncating would stumble over append-only tables and take
    # the rows that migrations have put in; a new copy of the template has neither trouble.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _case: database.renew())
        yield
    with django_db_blocker.unblock():
        database.drop()


@pytest.fixture(scope="session")
def worker_id(request: pytest.FixtureRequest) -> str:
    """The name of this process in a parallel run; xdist, where present, knows it."""
    workerinput: dict[str, str] = getattr(request.config, "workerinput", {})
    return workerinput.get("workerid", "alone")
