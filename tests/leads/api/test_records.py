"""Companies, campaigns, touchpoints and activities over the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from leads.models import Activity, Campaign, Company, Person, Touchpoint
from leads.services import companies, people
from smarketing.core import clock
from smarketing.users.models import User
from tests.rest import assert_problem, client_for

pytestmark = pytest.mark.django_db
V1 = "/api/v1"


@pytest.fixture
def ada(db: None) -> Person:
    return people.create(last_name="Lovelace", actor=None, now=clock.now())


def test_a_company_is_made_edited_and_found(rita: User) -> None:
    client = client_for(rita)
    body = {"name": "Initech GmbH", "domain": "https://www.Initech.example/x", "employees": 70,
            "annual_revenue": "1200000.50", "currency": "eur"}  # fmt: skip
    response = client.post(f"{V1}/companies", body, format="json")
    assert response.status_code == 201
    made = response.json()
    assert (made["domain"], made["annual_revenue"], made["currency"]) == (
        "initech.example",
        "1200000.50",
        "EUR",
    )
    path = response["Location"]
    parent = companies.create(name="Umbrella", actor=None, now=clock.now())
    done = client.patch(path, {"parent": parent.pk}, format="json", HTTP_IF_MATCH=response["ETag"])
    assert done.json()["parent"] == parent.pk
    ring = client.patch(
        f"{V1}/companies/{parent.pk}", {"parent": made["id"]}, format="json", HTTP_IF_MATCH="*"
    )
    problem = assert_problem(ring, 422, "parent_ring")
    assert [e["pointer"] for e in problem["errors"]] == ["/parent"]
    listed = client.get(f"{V1}/companies?employees_min=50&search=initech").json()["results"]
    assert [row["id"] for row in listed] == [made["id"]]
    assert Company.objects.get(pk=parent.pk).version == 1


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/name"),
        ({"name": " "}, "/name"),
        ({"name": "A", "employees": -1}, "/employees"),
        ({"name": "A", "employees": 2**31}, "/employees"),
        ({"name": "A", "annual_revenue": "NaN"}, "/annual_revenue"),
        ({"name": "A", "annual_revenue": "1e30"}, "/annual_revenue"),
        ({"name": "A", "parent": 10**12}, "/parent"),
        ({"name": "A", "name_key": "b"}, "/name_key"),
    ],
)
def test_a_company_that_can_not_be_stored_is_told_why(rita: User, body: dict[str, Any], pointer: str) -> None:
    problem = assert_problem(client_for(rita).post(f"{V1}/companies", body, format="json"), 422, "invalid")
    assert [e["pointer"] for e in problem["errors"]] == [pointer]
    assert Company.objects.count() == 0


def test_campaigns_are_marketings(rita: User, mara: User) -> None:
    body = {
        "name": "Spring",
        "kind": "event",
        "channel": "event",
        "owner": mara.pk,
        "starts_on": "2026-04-01",
    }
    assert_problem(client_for(rita).post(f"{V1}/campaigns", body, format="json"), 403, "denied")
    assert Campaign.objects.count() == 0
    client = client_for(mara)
    response = client.post(f"{V1}/campaigns", body, format="json")
    assert response.status_code == 201
    assert (response.json()["owner"], response.json()["channel"]) == (
        {"id": mara.pk, "name": mara.name},
        "event",
    )
    wrong = client.patch(response["Location"], {"ends_on": "2026-03-01"}, format="json", HTTP_IF_MATCH='"1"')
    assert_problem(wrong, 422, "ends_before_it_starts")
    unknown = client.post(f"{V1}/campaigns", {"name": "x", "channel": "nope"}, format="json")
    assert [e["pointer"] for e in assert_problem(unknown, 422, "invalid")["errors"]] == ["/channel"]
    assert len(client.get(f"{V1}/campaigns?kind=event&status=active").json()["results"]) == 1


def test_a_touchpoint_is_stored_once_per_external_id(mara: User, ada: Person) -> None:
    client = client_for(mara)
    body = {"person": ada.pk, "occurred_at": "2026-03-01T09:00:00+01:00", "kind": "event", "channel": "event",
            "parameters": {"utm_source": "fair"}, "source": "fair", "external_id": "scan-1"}  # fmt: skip
    first = client.post(f"{V1}/touchpoints", body, format="json")
    again = client.post(f"{V1}/touchpoints", body, format="json")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["occurred_at"] == "2026-03-01T08:00:00Z"
    assert Touchpoint.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"occurred_at": "2026-03-01T09:00:00"}, "invalid", "/occurred_at"),
        ({"occurred_at": "2026-02-30T09:00:00Z"}, "invalid", "/occurred_at"),
        ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "invalid", "/occurred_at"),
        ({"occurred_at": "9998-01-01T00:00:00Z"}, "in_the_future", "/occurred_at"),
        ({"person": 10**12}, "invalid", "/person"),
        ({"person": "x"}, "invalid", "/person"),
        ({"url": "x" * 2001}, "invalid", "/url"),
        ({"source": "no good"}, "invalid", "/source"),
    ],
)
def test_a_touchpoint_that_can_not_be_stored_is_told_why(
    mara: User, ada: Person, change: dict[str, Any], code: str, pointer: str
) -> None:
    body = {"person": ada.pk, "occurred_at": "2026-03-01T09:00:00Z", **change}
    problem = assert_problem(client_for(mara).post(f"{V1}/touchpoints", body, format="json"), 422, code)
    assert [e["pointer"] for e in problem["errors"]] == [pointer]
    assert Touchpoint.objects.count() == 0


def test_an_order_of_time_needs_the_person_whose_index_serves_it(mara: User, ada: Person) -> None:
    client = client_for(mara)
    refused = assert_problem(client.get(f"{V1}/activities?ordering=-occurred_at"), 400, "bad_parameter")
    assert refused["errors"][0]["pointer"] == "/ordering"
    assert client.get(f"{V1}/activities?ordering=-occurred_at&person={ada.pk}").status_code == 200


def test_what_was_done_is_logged_for_whoever_asks(rita: User, ada: Person) -> None:
    client = client_for(rita)
    response = client.post(
        f"{V1}/activities", {"person": ada.pk, "kind": "call", "outcome": "no_answer"}, format="json"
    )
    assert response.status_code == 201
    body = response.json()
    assert (body["direction"], body["actor"]["id"], body["done_at"]) == ("outbound", rita.pk, None)
    listed = client.get(f"{V1}/activities?kind=call&outcome=no_answer&actor={rita.pk}").json()["results"]
    assert listed == [body]


def test_a_task_is_planned_done_and_reopened(rita: User, mara: User, ada: Person) -> None:
    client = client_for(mara)
    body = {"person": ada.pk, "kind": "task", "subject": "Send the deck", "owner": rita.pk,
            "due_at": "2026-12-01T09:00:00Z"}  # fmt: skip
    response = client.post(f"{V1}/activities", body, format="json")
    assert (response.status_code, response.json()["actor"]["id"]) == (201, rita.pk)
    path = response["Location"]
    assert client.post(f"{path}/complete").json()["done_at"] is not None
    assert client.get(f"{V1}/activities?kind=task&done=false").json()["results"] == []
    stale = client.post(f"{path}/reopen", HTTP_IF_MATCH='"1"')
    assert_problem(stale, 412, "stale")
    assert client.post(f"{path}/reopen", HTTP_IF_MATCH='"2"').json()["done_at"] is None


@pytest.mark.parametrize(
    ("body", "code", "pointers"),
    [
        ({"kind": "call"}, "wrong_member", ["/person"]),
        ({"kind": "call", "due_at": "2026-12-01T09:00:00Z"}, "wrong_member", ["/due_at", "/person"]),
        ({"kind": "task", "subject": "x", "outcome": "reached"}, "wrong_member", ["/outcome"]),
        ({"kind": "task"}, "bad_value", ["/subject"]),
        ({"kind": "task", "subject": "x"}, "bad_value", ["/person"]),
        ({"kind": "dance"}, "invalid", ["/kind"]),
    ],
)
def test_each_kind_of_activity_has_its_members(
    rita: User, body: dict[str, Any], code: str, pointers: list[str]
) -> None:
    problem = assert_problem(client_for(rita).post(f"{V1}/activities", body, format="json"), 422, code)
    assert [e["pointer"] for e in problem["errors"]] == pointers
    assert Activity.objects.count() == 0


def test_an_outcome_has_to_fit_its_kind(rita: User, ada: Person) -> None:
    body = {"person": ada.pk, "kind": "call", "outcome": "bounced"}
    response = client_for(rita).post(f"{V1}/activities", body, format="json")
    assert_problem(response, 422, "outcome_does_not_fit")
    assert Activity.objects.count() == 0


@pytest.mark.parametrize("noun", ["touchpoints", "activities", "campaigns", "companies"])
def test_lists_ask_as_many_questions_for_one_row_as_for_five(
    mara: User, noun: str, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    client = client_for(mara)
    client.get(f"{V1}/{noun}")
    counts = []
    for many in (1, 4):
        for n in range(many):
            person = people.create(last_name=f"{many} {n}", actor=None, now=clock.now())
            bodies = {
                "touchpoints": {"person": person.pk, "occurred_at": "2026-03-01T09:00:00Z"},
                "activities": {"person": person.pk, "kind": "call"},
                "campaigns": {"name": f"C {many} {n}", "owner": mara.pk, "channel": "event"},
                "companies": {"name": f"C {many} {n}"},
            }
            assert client.post(f"{V1}/{noun}", bodies[noun], format="json").status_code == 201
        with CaptureQueriesContext(connection) as queries:
            client.get(f"{V1}/{noun}")
        counts.append(len(queries))
    assert counts[0] == counts[1]
