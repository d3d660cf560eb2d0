"""A small year of the demo company, told once for all tests of a module and then taken back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.db import transaction
from pytest_django.plugin import DjangoDbBlocker

from smarketing.demo import company
from smarketing.demo.simulation import Simulation

END = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)


def tell(*, count: int, seed: int = 1) -> None:
    """Make the company and let its year happen, with ``count`` leads."""
    world = company.set_up(start=END - company.YEAR, end=END)
    Simulation(world, count=count, seed=seed, end=END).run()
    company.settle(now=END)


@pytest.fixture(scope="module")
def year(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[datetime]:
    """The end of a year with 45 leads."""
    with django_db_blocker.unblock(), transaction.atomic():
        tell(count=45, seed=3)
        yield END
        transaction.set_rollback(True)
