"""Whatever column a program names: only those that are documented change (T12)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from funnel.models import Opportunity
from funnel.services import opportunities
from leads.models import Campaign, Company, Lead, Person
from leads.services import campaigns
from smarketing.api import router
from smarketing.core import clock
from smarketing.users.domain.roles import Role
from smarketing.users.models import User
from tests.rest import assert_problem, client_for
from tests.web.rest.test_matrix import digest

pytestmark = pytest.mark.django_db
RECORDS: dict[str, type[Any]] = {
    "people": Person,
    "companies": Company,
    "campaigns": Campaign,
    "leads": Lead,
    "opportunities": Opportunity,
}
VIEWS: dict[str, Any] = {prefix: viewset for prefix, viewset, _ in router.registry}
WRITABLE = {noun: set(VIEWS[noun].inputs["partial_update"]().fields) for noun in RECORDS}


@pytest.fixture
def admin(db: None) -> APIClient:
    user = User.objects.create(email="a@example.com", name="Ada Admin", role=Role.ADMIN)
    client = client_for(user)
    client.get("/api/v1/me")
    return client


@pytest.fixture
def record(lead: Lead, rita: User) -> Callable[[str], int]:
    """The id of a record of each kind."""
    now = clock.now()
    campaign = campaigns.create(name="Spring", actor=None, now=now)
    deal = opportunities.open(
        lead=lead, name="A deal", currency="EUR", owner=rita, opened_at=now, actor=rita, now=now
    )
    found: dict[str, Any] = {"people": lead.person_id, "companies": lead.company_id}
    found |= {"campaigns": campaign.pk, "leads": lead.pk, "opportunities": deal.pk}
    return found.__getitem__


@pytest.mark.parametrize("noun", RECORDS)
def test_columns_that_are_not_documented_are_refused(
    admin: APIClient, record: Callable[[str], int], noun: str
) -> None:
    columns = {f.name for f in RECORDS[noun]._meta.get_fields()}
    columns |= {getattr(f, "attname", f.name) for f in RECORDS[noun]._meta.get_fields()}
    path, before = f"/api/v1/{noun}/{record(noun)}", digest()
    tried = sorted(columns - WRITABLE[noun])
    assert {"id", "version", "created_at"} <= set(tried)
    for column in tried:
        response = admin.patch(path, {column: 1}, format="json", HTTP_IF_MATCH="*")
        problem = assert_problem(response, 422, "invalid")
        assert [(e["pointer"], e["code"]) for e in problem["errors"]] == [(f"/{column}", "unknown")]
    assert digest() == before


@pytest.mark.parametrize("noun", RECORDS)
def test_a_body_of_nothing_changes_nothing(admin: APIClient, record: Callable[[str], int], noun: str) -> None:
    path, before = f"/api/v1/{noun}/{record(noun)}", digest()
    tag = admin.get(path)["ETag"]
    assert admin.patch(path, {}, format="json", HTTP_IF_MATCH=tag)["ETag"] == tag
    for body in (["x"], "x", 7):
        assert admin.patch(path, body, format="json", HTTP_IF_MATCH=tag).status_code == 422
    assert digest() == before
