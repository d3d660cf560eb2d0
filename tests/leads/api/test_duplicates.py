"""Duplicates over the API."""

from __future__ import annotations

import pytest

from leads.models import Duplicate
from leads.services import finder, people
from smarketing.core import clock
from smarketing.users.models import User
from tests.rest import assert_problem, client_for

pytestmark = pytest.mark.django_db
PAIRS = "/api/v1/duplicates"
ADA = {"first_name": "Ada", "last_name": "Lovelace", "city": "London"}


@pytest.fixture
def pair(db: None) -> Duplicate:
    for email in ("ada@one.example", "lovelace@two.example"):
        people.create(**ADA, emails=[email], actor=None, now=clock.now())
    finder.find(now=clock.now())
    return Duplicate.objects.get()


def test_pairs_are_listed_and_decided(mara: User, pair: Duplicate) -> None:
    client = client_for(mara)
    (told,) = client.get(f"{PAIRS}?state=open&person={pair.left_id}").json()["results"]
    assert (told["left"], told["right"], told["state"]) == (pair.left_id, pair.right_id, "open")
    assert told["score"] == sum(part["weight"] for part in told["evidence"])
    answer = client.post(f"{PAIRS}/{pair.pk}/dismiss", {}, format="json").json()
    assert (answer["state"], answer["decided_by"]) == ("dismissed", mara.pk)
    assert_problem(client.post(f"{PAIRS}/{pair.pk}/dismiss", {}, format="json"), 409, "already_decided")
    assert client.post(f"{PAIRS}/{pair.pk}/reopen", {}, format="json").json()["state"] == "open"


def test_who_may_not_decide_changes_nothing(rita: User, olga: User, pair: Duplicate) -> None:
    for user in (rita, olga):
        assert_problem(client_for(user).post(f"{PAIRS}/{pair.pk}/dismiss", {}, format="json"), 403, "denied")
    assert client_for(olga).get(f"{PAIRS}/{pair.pk}").status_code == 200
    assert client_for(olga).get(f"{PAIRS}/999999").status_code == 404
    assert Duplicate.objects.get().state == "open"


def test_a_new_person_is_answered_with_who_looks_like_them(rita: User, pair: Duplicate) -> None:
    body = {**ADA, "emails": ["ada.lovelace@three.example"]}
    made = client_for(rita).post("/api/v1/people", body, format="json").json()
    assert [d["id"] for d in made["probable_duplicates"]] == [pair.left_id, pair.right_id]
    assert made["probable_duplicates"][0]["band"] == "probable"


def test_a_new_lead_is_answered_with_lookalikes_where_asked(rita: User, pair: Duplicate) -> None:
    client = client_for(rita)
    body = {"person": {**ADA, "email": "ada.lovelace@three.example"}}
    plain = client.post("/api/v1/leads", {"person": {"email": "somebody@else.example"}}, format="json")
    assert (plain.status_code, "probable_duplicates" in plain.json()) == (201, False)
    made = client.post("/api/v1/leads?probable_duplicates=true", body, format="json")
    assert made.status_code == 201
    told = made.json()["probable_duplicates"]
    assert {d["id"] for d in told} == {pair.left_id, pair.right_id}
    assert told[0]["url"].endswith(f"/people/{told[0]['id']}/")
    assert told[0]["score"] == sum(part["weight"] for part in told[0]["evidence"])
    wrong = client.post("/api/v1/leads?probable_duplicates=perhaps", body, format="json")
    assert_problem(wrong, 400, "bad_parameter")
