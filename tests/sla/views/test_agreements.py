"""The agreement's pages: reading, drafting, proposing, signing."""

from __future__ import annotations

import pytest

from sla.models import AgreementSignature, AgreementState, AgreementVersion, Calendar
from sla.services import agreements
from smarketing.users.domain.roles import Role
from tests.sla.conftest import HOUR, MONDAY, attempt, deliver, make_user

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def monday(at):
    at(MONDAY + 8 * HOUR)


def form_data(*clauses, version=""):
    data = {"clauses-TOTAL_FORMS": len(clauses), "clauses-INITIAL_FORMS": 1, "version": version}
    for i, clause in enumerate(clauses):
        base = {"target": "2", "unit": "60", "calendar": Calendar.objects.get(is_default=True).pk}
        data |= {f"clauses-{i}-{name}": value for name, value in (base | clause).items()}
    return data


def with_password(user):
    user.set_password(PASSWORD)
    user.save(update_fields=["password"])
    return user


def text_of(response):
    return " ".join(response.content.decode().split())


def test_everybody_reads_what_was_promised_and_that_nobody_has_signed(rep, client_of):
    page = text_of(client_of(rep).get("/agreement/"))
    assert "within 1 business hour of its delivery" in page
    assert "Not signed yet." in page
    assert "Draft a new version" not in page
    assert "Read and sign" not in page


def test_the_page_says_how_the_promise_is_kept(rep, marketing_manager, client_of):
    attempt(deliver(rep, MONDAY), rep, MONDAY + 0.5 * HOUR)
    deliver(rep, MONDAY)
    assert "1 of 2" in text_of(client_of(rep).get("/agreement/"))


def test_a_manager_drafts_edits_and_proposes(sales_manager, client_of):
    client = client_of(sales_manager)
    response = client.post("/agreement/draft/")
    assert response["Location"] == "/agreement/2/edit/"
    assert "First attempt within" in text_of(client.get("/agreement/2/edit/"))
    response = client.post("/agreement/2/edit/", form_data({"target": "90", "unit": "1"}))
    assert response["Location"] == "/agreement/2/"
    assert "within 90 business minutes" in text_of(client.get("/agreement/2/"))
    client.post("/agreement/2/propose/")
    assert AgreementVersion.objects.get(number=2).state == AgreementState.PROPOSED
    assert "is proposed and waits for signatures" in text_of(client.get("/agreement/"))


def test_a_bad_clause_is_shown_beside_its_field(sales_manager, client_of):
    client = client_of(sales_manager)
    client.post("/agreement/draft/")
    response = client.post("/agreement/2/edit/", form_data({"target": "99999"}))
    assert response.status_code == 422
    assert "Give a number of minutes from 1 to 43200." in text_of(response)
    overlap = client.post("/agreement/2/edit/", form_data({}, {"target": "3"}))
    assert overlap.status_code == 422
    assert "Two clauses promise this for the same leads" in text_of(overlap)
    assert AgreementVersion.objects.get(number=2).clauses.get(position=1).target == 60


def test_a_stale_edit_is_refused(sales_manager, client_of):
    client = client_of(sales_manager)
    client.post("/agreement/draft/")
    response = client.post("/agreement/2/edit/", form_data({}, version="1"))
    assert response.status_code == 422
    assert "Somebody has changed this version" in text_of(response)


def test_another_clause_can_be_added_and_removed(sales_manager, client_of):
    client = client_of(sales_manager)
    client.post("/agreement/draft/")
    more = client.post("/agreement/2/edit/", form_data({}) | {"add": "1"})
    assert "Clause 2" in text_of(more)
    two = form_data({"bands": ["A1"]}, {"bands": ["B1"], "target": "4"})
    client.post("/agreement/2/edit/", two)
    assert AgreementVersion.objects.get(number=2).clauses.count() == 2
    client.post("/agreement/2/edit/", two | {"clauses-1-DELETE": "on"})
    assert AgreementVersion.objects.get(number=2).clauses.get().population == {"bands": ["A1"]}


def test_what_is_in_force_is_not_edited(sales_manager, client_of):
    assert client_of(sales_manager).get("/agreement/1/edit/").status_code == 409


def test_a_draft_is_discarded(sales_manager, client_of):
    client = client_of(sales_manager)
    client.post("/agreement/draft/")
    client.post("/agreement/2/discard/")
    assert AgreementVersion.objects.count() == 1


def test_both_managers_sign_the_first_version(sales_manager, marketing_manager, client_of):
    digest = AgreementVersion.objects.get().digest
    for manager in (sales_manager, marketing_manager):
        client = client_of(with_password(manager))
        assert "Sign for my team" in text_of(client.get("/agreement/1/sign/"))
        response = client.post("/agreement/1/sign/", {"digest": digest, "password": PASSWORD})
        assert response["Location"] == "/agreement/"
    page = text_of(client.get("/agreement/"))
    assert "Signed by Sam Seller on 12 Jan 2026" in page
    assert "Not signed yet" not in page


def test_a_wrong_password_signs_nothing_and_guessing_is_slowed_down(sales_manager, client_of):
    client = client_of(with_password(sales_manager))
    data = {"digest": AgreementVersion.objects.get().digest, "password": "guess"}
    response = client.post("/agreement/1/sign/", data)
    assert response.status_code == 422
    assert "This is not your password." in text_of(response)
    for _ in range(7):
        client.post("/agreement/1/sign/", data)
    response = client.post("/agreement/1/sign/", data | {"password": PASSWORD})
    assert response.status_code == 422
    assert not AgreementSignature.objects.exists()


def test_a_text_that_has_changed_is_read_again_first(sales_manager, client_of):
    client = client_of(with_password(sales_manager))
    response = client.post("/agreement/1/sign/", {"digest": "0" * 64, "password": PASSWORD})
    assert response.status_code == 422
    assert "The text has changed since you read it" in text_of(response)


@pytest.mark.parametrize("role", [Role.REP, Role.MARKETER, Role.ADMIN, Role.READ_ONLY])
def test_who_is_no_manager_of_a_team_does_not_sign(role, client_of):
    client = client_of(with_password(make_user(role, "Nora Nobody")))
    assert client.get("/agreement/1/sign/").status_code == 403
    assert client.post("/agreement/1/sign/", {"password": PASSWORD}).status_code == 403


@pytest.mark.parametrize("role", [Role.REP, Role.MARKETER, Role.READ_ONLY])
def test_who_may_not_edit_neither_drafts_nor_sees_drafts(role, sales_manager, client_of):
    agreements.draft(actor=sales_manager, now=MONDAY)
    client = client_of(make_user(role, "Nora Nobody"))
    for path in ("draft/", "2/edit/", "2/propose/", "2/discard/"):
        assert client.post(f"/agreement/{path}").status_code == 403
    assert client.get("/agreement/2/").status_code == 404
    assert "being drafted" not in text_of(client.get("/agreement/"))
    assert AgreementVersion.objects.get(number=2).state == AgreementState.DRAFT


@pytest.mark.parametrize("number", ["0", "77", "99999999999999999999"])
def test_a_version_that_does_not_exist_is_not_found(rep, client_of, number):
    assert client_of(rep).get(f"/agreement/{number}/").status_code == 404
