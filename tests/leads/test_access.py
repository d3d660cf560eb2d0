"""The door to records: what is absent and what is out of sight read the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from leads import access
from leads.models import Activity, Campaign, Company, Lead, Person, Source
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User


@pytest.fixture
def records(web: Source, now: datetime) -> dict[str, int]:
    company = Company.objects.create(name="Engines", name_key="engines")
    person = Person.objects.create(first_name="Ada", company=company)
    lead = Lead.objects.create(person=person, source=web, captured_at=now)
    campaign = Campaign.objects.create(name="Spring", source=web)
    activity = Activity.objects.create(
        person=person, source=web, kind="note", direction="internal", occurred_at=now
    )
    return {
        "person": person.pk,
        "lead": lead.pk,
        "company": company.pk,
        "campaign": campaign.pk,
        "activity": activity.pk,
    }


LOADERS: list[tuple[str, Callable[..., Any]]] = [
    ("person", access.get_person),
    ("lead", access.get_lead),
    ("company", access.get_company),
    ("campaign", access.get_campaign),
    ("activity", access.get_activity),
]


@pytest.mark.parametrize(("kind", "load"), LOADERS)
def test_a_record_in_sight_is_found(
    records: dict[str, int], olga: User, kind: str, load: Callable[..., Any]
) -> None:
    assert load(olga, records[kind]).pk == records[kind]


@pytest.mark.parametrize(("kind", "load"), LOADERS)
def test_an_absent_record_and_one_out_of_sight_read_the_same(
    records: dict[str, int], olga: User, kind: str, load: Callable[..., Any]
) -> None:
    with pytest.raises(access.NoSuchRecord) as absent:
        load(olga, 10**15)
    olga.is_active = False
    with pytest.raises(access.NoSuchRecord) as hidden:
        load(olga, records[kind])
    assert absent.value.detail == hidden.value.detail


@pytest.mark.parametrize(("kind", "load"), LOADERS)
def test_a_record_in_sight_that_may_not_be_changed_is_denied(
    records: dict[str, int], olga: User, kind: str, load: Callable[..., Any]
) -> None:
    with pytest.raises(access.NotAllowed):
        load(olga, records[kind], capability=Capability.EDIT_LEADS)


@pytest.mark.parametrize(("kind", "load"), LOADERS)
def test_the_lock_flag_locks_the_record_and_nothing_it_is_joined_with(
    records: dict[str, int], rita: User, kind: str, load: Callable[..., Any]
) -> None:
    with CaptureQueriesContext(connection) as queries:
        load(rita, records[kind], lock=True)
    locking = [q["sql"] for q in queries if q["sql"].startswith("EXECUTE lock_")]
    assert len(locking) == 1
    assert locking[0].startswith(f"EXECUTE lock_leads_{kind}_")


def test_a_merged_company_is_gone(records: dict[str, int], rita: User) -> None:
    other = Company.objects.create(name="Other", name_key="other")
    Company.objects.filter(pk=records["company"]).update(merged_into=other)
    with pytest.raises(access.NoSuchRecord):
        access.get_company(rita, records["company"])
