"""Writing companies."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest
from django.db import transaction

from leads.models import (
    Company,
    CompanyHistory,  # type: ignore[attr-defined]  # made by the tracker
    CompanyRef,
    Source,
)
from leads.services import companies
from smarketing.core.errors import Invalid
from tests.leads.threads import at_once


def make(now: datetime, name: str, **values: object) -> Company:
    return companies.create(name=name, actor=None, now=now, **values)


def test_a_company_is_found_by_source_id_then_domain_then_name(web: Source, now: datetime) -> None:
    by_id = make(now, "First", refs=[(web, "7")])
    by_domain = make(now, "Second", domain="https://www.Second.example/about")
    by_name = make(now, "Third GmbH")
    assert CompanyRef.objects.get().company == by_id
    assert by_domain.domain == "second.example"
    assert companies.find(name="Third", domain="second.example", refs=[(web, "7")]) == by_id
    assert companies.find(name="Third", domain="SECOND.example") == by_domain
    assert companies.find(name="third, gmbh") == by_name
    assert companies.find(name="") is None


def test_a_source_id_belongs_to_one_company(web: Source, now: datetime) -> None:
    make(now, "First", refs=[(web, "7")])
    with pytest.raises(companies.RefTaken):
        make(now, "Second", refs=[(web, "7")])
    assert Company.objects.count() == 1


def test_an_edit_keeps_the_former_values_and_renews_the_key(web: Source, now: datetime) -> None:
    company = make(now, "Acme Inc.")
    changed = companies.update(
        company=company,
        changes={"name": "Apex Ltd", "annual_revenue": "1500000.50", "currency": "eur"},
        expected_version=1,
        actor=None,
        now=now,
    )
    assert (changed.name_key, changed.annual_revenue, changed.currency) == (
        "apex",
        Decimal("1500000.50"),
        "EUR",
    )
    assert CompanyHistory.objects.get().name == "Acme Inc."


def test_no_company_stands_above_itself(web: Source, now: datetime) -> None:
    top = make(now, "Top")
    below = make(now, "Below", parent=top)
    for parent in (top, below):
        with pytest.raises(companies.IsItsOwnParent):
            companies.update(company=top, changes={"parent": parent}, actor=None, now=now)
    assert Company.objects.get(name="Top").parent is None


@pytest.mark.parametrize(
    "changes", [{"name": ""}, {"employees": -1}, {"employees": "many"}, {"name_key": "x"}]
)
def test_bad_changes_are_refused_and_nothing_changes(
    web: Source, now: datetime, changes: dict[str, object]
) -> None:
    company = make(now, "Acme")
    before = Company.objects.values().get()
    with pytest.raises(Invalid):
        companies.update(company=company, changes=changes, actor=None, now=now)
    assert Company.objects.values().get() == before


@pytest.mark.django_db(transaction=True)
def test_of_several_callers_with_one_new_name_one_makes_the_company(now: datetime) -> None:
    def act(number: int) -> int:
        return companies.find_or_create(name=f"Initech {'GmbH' * (number % 2)}", actor=None, now=now).pk

    assert len({*at_once(4, act)}) == 1
    assert Company.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_for_a_transaction_that_has_found_a_company(now: datetime) -> None:
    make(now, "Initech")
    with transaction.atomic():
        mine = companies.find_or_create(name="Initech", actor=None, now=now)

        def act(_number: int) -> int:
            return companies.find_or_create(name="Initech", actor=None, now=now).pk

        assert at_once(1, act) == [mine.pk]  # a lock held until our end would leave it without an answer
