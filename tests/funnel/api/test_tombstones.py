"""Tombstones over the API."""

from __future__ import annotations

import pytest

from funnel.models import Tombstone
from tests.rest import assert_problem, client_for

pytestmark = pytest.mark.django_db
TOMBSTONES = "/api/v1/tombstones"


def test_one_is_written_read_found_and_lifted(rita, sam, lead):
    email = lead.person.emails.get().email
    body = {"scope": "person", "reason": "asked", "emails": [email.upper()], "note": "by letter"}
    made = client_for(rita).post(TOMBSTONES, body, format="json")
    assert made.status_code == 201
    told = made.json()
    assert (told["scope"], told["reopen"], told["blocked"], told["author"]) == ("person", "never", 0, rita.pk)
    assert {"kind": "email", "value": email} in told["keys"]
    assert client_for(rita).get(f"{TOMBSTONES}?q={email}").json()["results"] == [told]
    lifted = client_for(sam).post(f"{TOMBSTONES}/{told['id']}/lift", {"reason": "error"}, format="json")
    assert (lifted.status_code, lifted.json()["lift_reason"]) == (200, "error")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"scope": "person"}, "/emails"),
        ({"scope": "company", "domain": "gmail.com"}, "/domain"),
        ({"scope": "nobody"}, "/scope"),
        ({"scope": "person", "person": 10**12}, "/person"),
        ({"scope": "person", "emails": ["a@b.example"], "lifted_at": None}, "/lifted_at"),
    ],
)
def test_bad_input_points_at_its_member_and_writes_nothing(rita, body, pointer):
    answer = client_for(rita).post(TOMBSTONES, body, format="json")
    assert [e["pointer"] for e in answer.json()["errors"]] == [pointer]
    assert Tombstone.objects.count() == 0


def test_who_may_what(rita, olga, mara):
    body = {"scope": "person", "emails": ["a@b.example"]}
    assert_problem(client_for(olga).post(TOMBSTONES, body, format="json"), 403, "denied")
    made = client_for(mara).post(TOMBSTONES, body, format="json").json()
    assert client_for(olga).get(f"{TOMBSTONES}/{made['id']}").status_code == 200
    lift = f"{TOMBSTONES}/{made['id']}/lift"
    assert_problem(client_for(rita).post(lift, {"reason": "x"}, format="json"), 403, "denied")
    assert client_for(mara).get(f"{TOMBSTONES}/999999").status_code == 404
    assert Tombstone.objects.get().lifted_at is None


def test_a_refused_lead_is_not_delivered_over_the_api(mara, lead):
    client_for(mara).post(TOMBSTONES, {"scope": "person", "person": lead.person_id}, format="json")
    answer = client_for(mara).post(f"/api/v1/leads/{lead.pk}/deliver", {}, format="json")
    assert "never delivered again" in assert_problem(answer, 409, "never_delivered")["detail"]
