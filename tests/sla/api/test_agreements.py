"""``/api/v1/agreements``: a version is drawn up, discussed and proposed by programs; people sign."""

from __future__ import annotations

import pytest

from sla.models import AgreementState, AgreementVersion
from smarketing.users.domain.roles import Role
from tests.rest import assert_problem, client_for
from tests.sla.conftest import make_user

pytestmark = pytest.mark.django_db
URL = "/api/v1/agreements"
BASE = {"base": "in_force"}


@pytest.fixture
def manager(sales_manager):
    return client_for(sales_manager)


def draft(client):
    response = client.post(URL, BASE, format="json")
    assert response.status_code == 201
    assert response["Location"] == f"{URL}/2"
    return response


def test_a_version_is_drafted_changed_discussed_and_proposed(manager, marketer):
    made = draft(manager)
    clauses = [
        {"metric": c["metric"], "target": c["target"], "period": c["period"], "calendar": c["calendar"]["id"]}
        for c in made.json()["clauses"]
    ]
    clauses[0]["target"] = "30"
    body = {"clauses": clauses, "annex": {"links": [{"title": "Prices", "url": "https://files.example"}]}}
    changed = manager.patch(f"{URL}/2", body, format="json", headers={"If-Match": made["ETag"]})
    assert changed.status_code == 200, changed.json()
    assert changed.json()["clauses"][0]["sentence"].endswith("within 30 business minutes of its delivery.")
    assert changed.json()["annex"] == body["annex"]
    told = manager.get(f"{URL}/2/changes").json()["results"]
    assert [(c["change"], c["metric"]) for c in told] == [("changed", "First response")]
    said = manager.post(f"{URL}/2/comment", {"text": "Too short?", "position": 1}, format="json")
    assert said.status_code == 200
    assert manager.post(f"{URL}/2/propose", {}, format="json").json()["state"] == "proposed"
    heard = client_for(marketer).get(f"{URL}/2/comments").json()["results"]
    assert [(c["text"], c["position"]) for c in heard] == [("Too short?", 1)]


def test_a_second_draft_is_the_first(manager):
    draft(manager)
    assert manager.post(URL, BASE, format="json").status_code == 200
    assert AgreementVersion.objects.count() == 2


def test_a_bad_clause_is_refused_with_its_place(manager):
    made = draft(manager)
    body = {"clauses": [{"metric": "worked", "target": 200}]}
    response = manager.patch(f"{URL}/2", body, format="json", headers={"If-Match": made["ETag"]})
    problem = assert_problem(response, 422, "agreement_invalid")
    assert problem["errors"][0]["pointer"] == "/clauses/0/target"
    assert AgreementVersion.objects.get(number=2).clauses.count() == 5


def test_a_draft_is_discarded_and_what_is_in_force_is_not(manager):
    draft(manager)
    assert manager.delete(f"{URL}/2").status_code == 204
    assert manager.delete(f"{URL}/1").status_code == 409
    assert AgreementVersion.objects.get().state == AgreementState.IN_FORCE


@pytest.mark.parametrize("role", [Role.REP, Role.MARKETER, Role.READ_ONLY])
def test_who_may_not_edit_may_read_only(role, manager):
    made = draft(manager)
    client = client_for(make_user(role, "Nora Nobody"))
    assert client.post(URL, BASE, format="json").status_code == 403
    assert client.get(f"{URL}/2").status_code == 404
    changed = client.patch(f"{URL}/1", {"annex": {}}, format="json", headers={"If-Match": made["ETag"]})
    assert changed.status_code == 403
    assert client.get(f"{URL}/current").json()["number"] == 1


def test_nobody_signs_by_token(manager):
    assert manager.post(f"{URL}/1/sign", {}, format="json").status_code == 404
