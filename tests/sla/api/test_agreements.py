"""``/api/v1/agreements``: a version is drawn up, discussed, proposed and signed."""

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
        {
            "metric": c["metric"],
            "target": c["target"],
            "period": c["period"],
            "calendar": c["calendar"] and c["calendar"]["id"],
        }
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
    assert AgreementVersion.objects.get(number=2).clauses.count() == 6


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


PASSWORD = "correct horse battery"


def sign(user, digest, password=PASSWORD, **more):
    body = {"digest": digest, "password": password}
    return client_for(user).post(f"{URL}/2/sign", body, format="json", **more)


@pytest.fixture
def proposed(manager):
    draft(manager)
    return manager.post(f"{URL}/2/propose", {}, format="json").json()["digest"]


@pytest.fixture
def signers(sales_manager, marketing_manager):
    for user in (sales_manager, marketing_manager):
        user.set_password(PASSWORD)
        user.save(update_fields=["password"])
    return sales_manager, marketing_manager


def test_with_a_signature_of_each_side_it_is_in_force(proposed, signers):
    first, second = (sign(user, proposed) for user in signers)
    assert (first.status_code, first.json()["state"]) == (200, "proposed")
    assert (second.status_code, second.json()["state"]) == (200, "in_force")
    assert {s["side"] for s in second.json()["signatures"]} == {"sales", "marketing"}
    assert_problem(sign(signers[0], proposed), 409, "already_signed")


def test_a_signature_needs_the_text_the_role_and_the_password(proposed, signers, marketer):
    seller, _other = signers
    assert_problem(sign(marketer, proposed), 403, "not_a_signer")
    assert_problem(sign(seller, "0" * 64), 412, "agreement_changed")
    problem = assert_problem(sign(seller, proposed, password="wrong"), 422, "wrong_password")
    assert problem["errors"][0]["pointer"] == "/password"
    assert sign(seller, proposed, headers={"Idempotency-Key": "k"}).status_code == 400
    seller.set_unusable_password()
    seller.save(update_fields=["password"])
    assert_problem(sign(seller, proposed), 409, "no_password")
    assert not AgreementVersion.objects.get(number=2).signatures.exists()


def test_who_guesses_the_password_waits(proposed, signers):
    for _guess in range(6):
        assert sign(signers[0], proposed, password="wrong").status_code == 422
    assert_problem(sign(signers[0], proposed), 429, "too_many_requests")
    assert not AgreementVersion.objects.get(number=2).signatures.exists()
