"""The first big load goes in without single checks, and leaves every key and index as it was."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from funnel.models import LeadState
from leads.models import Lead, Person
from leads.services.imports import first_load
from tests.importing import counts, take
from tests.leads.imports.conftest import Written

pytestmark = pytest.mark.django_db


def keys_and_indexes() -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated::text"
            " FROM pg_constraint WHERE connamespace = 'public'::regnamespace"
            " UNION ALL SELECT tablename, indexname, indexdef, '' FROM pg_indexes WHERE schemaname = 'public'"
            " ORDER BY 1, 2, 3"
        )
        return list(cursor.fetchall())


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three rows are a big load."""
    monkeypatch.setattr(first_load, "LARGE", 3)


@pytest.mark.usefixtures("small")
def test_keys_and_indexes_are_the_same_after_it(written: Written) -> None:
    before = keys_and_indexes()
    path = written("id,email,phone,company\n1,a@example.com,+4930901820,Acme\n2,b@example.com,,\n3,,,\n")
    report = take("leads", path)
    assert counts(report) == (3, 0, 0, 0)
    assert any("first load" in note for note in report.notes)
    assert keys_and_indexes() == before
    assert LeadState.objects.count() == 3
    assert counts(take("leads", path)) == (0, 0, 3, 0)


@pytest.mark.usefixtures("small")
def test_a_dry_run_takes_all_of_it_back(written: Written) -> None:
    before = keys_and_indexes()
    take("leads", written("id\n1\n2\n3\n"), dry_run=True)
    assert keys_and_indexes() == before
    assert not Lead.objects.exists()


@pytest.mark.usefixtures("small")
def test_a_broken_reference_is_found_at_the_end(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = "UPDATE leads_lead SET person_id = -1"

    def breaks(batch):
        with connection.cursor() as cursor:
            cursor.execute(broken)

    monkeypatch.setattr("leads.services.imports.leads._publish", breaks)
    with pytest.raises(IntegrityError), transaction.atomic():
        take("leads", written("id\n1\n2\n3\n"))
    assert not Person.objects.exists()


def test_a_later_load_keeps_the_keys_on(written: Written, small: None) -> None:
    take("leads", written("id\n0\n"))
    report = take("leads", written("id\n1\n2\n3\n"))
    assert not any("first load" in note for note in report.notes)
    assert Lead.objects.count() == 4
