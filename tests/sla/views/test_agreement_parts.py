"""The pages beside the clauses: roles, words and links, the day it takes effect, the discussion."""

from __future__ import annotations

from datetime import date

import pytest

from sla.models import AgreementComment, AgreementVersion
from sla.services import agreements
from smarketing.users.domain.roles import Role
from tests.sla.conftest import HOUR, MONDAY, make_user
from tests.sla.views.test_agreements import form_data, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def monday(at):
    at(MONDAY + 8 * HOUR)


@pytest.fixture
def version(sales_manager):
    return agreements.draft(actor=sales_manager, now=MONDAY)


def annex_data(**rows):
    data = {}
    for part in ("roles", "glossary", "links", "plan"):
        given = rows.get(part, [])
        data |= {f"{part}-TOTAL_FORMS": len(given), f"{part}-INITIAL_FORMS": 0}
        for i, row in enumerate(given):
            data |= {f"{part}-{i}-{name}": value for name, value in row.items()}
    return data


def test_a_word_is_explained_and_read_on_the_version(version, sales_manager, client_of):
    client = client_of(sales_manager)
    assert "Roles and responsibilities" in text_of(client.get("/agreement/2/annex/"))
    word = {"term": "Worked", "meaning": "Depth met.", "bound_to": "metric:worked"}
    plan = {"what": "Call list", "owner": "Sam", "due": "2026-02-01"}
    response = client.post("/agreement/2/annex/", annex_data(glossary=[word], plan=[plan]))
    assert response["Location"] == "/agreement/2/"
    page = text_of(client.get("/agreement/2/"))
    assert 'id="term-worked"' in page
    assert "Call list" in page
    assert "What words mean" in page
    assert "What it changes in version 1" in page


def test_a_bad_address_stands_beside_its_field_and_nothing_changes(version, sales_manager, client_of):
    data = annex_data(links=[{"title": "x", "url": "javascript:alert(1)"}])
    response = client_of(sales_manager).post("/agreement/2/annex/", data)
    assert response.status_code == 422
    assert "begins with https://" in text_of(response)
    version.refresh_from_db()
    assert version.annex == {}


def test_the_day_is_set_and_shown(version, sales_manager, client_of):
    client = client_of(sales_manager)
    client.post("/agreement/2/effective/", {"effective_on": "2026-02-01"})
    version.refresh_from_db()
    assert version.effective_on == date(2026, 2, 1)
    assert "In force from 1 Feb 2026" in text_of(client.get("/agreement/2/"))
    assert client.post("/agreement/2/effective/", {"effective_on": "soon"}).status_code == 422


def test_a_clause_is_discussed(version, sales_manager, marketer, client_of):
    agreements.propose(version=version, actor=sales_manager, now=MONDAY)
    client = client_of(marketer)
    assert client.post("/agreement/2/comment/", {"text": ""}).status_code == 422
    client.post("/agreement/2/comment/", {"text": "Why <b>five</b>?", "position": "2"})
    page = text_of(client.get("/agreement/2/"))
    assert "Why &lt;b&gt;five&lt;/b&gt;?" in page
    assert "Clause 2" in page


@pytest.mark.parametrize("role", [Role.REP, Role.MARKETER, Role.READ_ONLY])
def test_who_may_not_edit_changes_nothing(role, version, client_of):
    client = client_of(make_user(role, "Nora Nobody"))
    for path in ("annex/", "effective/"):
        assert client.post(f"/agreement/2/{path}").status_code == 403
    assert client.post("/agreement/2/comment/", {"text": "x"}).status_code in (403, 404)
    assert not AgreementComment.objects.exists()
    assert AgreementVersion.objects.get(number=2).annex == {}


def test_every_metric_can_be_added_and_saved(sales_manager, client_of):
    client = client_of(sales_manager)
    client.post("/agreement/draft/")
    more = client.post("/agreement/2/edit/", form_data({}) | {"add": "1", "add_metric": "supply_count"})
    page = text_of(more)
    assert "Clause 2 · Marketing: Leads delivered" in page
    assert "Ceiling" in page
    supply = {
        "metric": "supply_count", "target": "100", "period": "month", "per": "rep", "ceiling": "130",
    }  # fmt: skip
    response = client.post("/agreement/2/edit/", form_data({"metric": "first_response"}, supply))
    assert response.status_code == 303, text_of(response)
    page = text_of(client.get("/agreement/2/"))
    assert "at least 100 qualified leads to every rep each month; more than 130 don&#x27;t count" in page
