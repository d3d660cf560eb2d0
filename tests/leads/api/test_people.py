"""Persons over the API."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from leads.models import Person, PersonEmail, PersonRef, Source
from leads.services import attributes, companies, events, people
from leads.services.events import EventInput
from smarketing.core import clock
from smarketing.users.models import User
from tests.rest import assert_problem, client_for, pages

pytestmark = pytest.mark.django_db
PEOPLE = "/api/v1/people"
ADA = {
    "first_name": "Ada",
    "last_name": "Lovelace",
    "title": "Director",
    "emails": ["Ada@Initech.example", "ada@home.example"],
    "phones": ["+44 20 7946 0018"],
    "country": "United Kingdom",
    "refs": [{"source": "old-crm", "external_id": "P-7"}],
}


def made(number: int) -> Person:
    name, now = f"Person {number}", clock.now()
    company = companies.create(name=f"Company {number}", actor=None, now=now)
    return people.create(
        last_name=name, emails=[f"p{number}@example.com"], company=company, actor=None, now=now
    )


def test_a_person_is_made_and_read(rita: User) -> None:
    client = client_for(rita)
    response = client.post(PEOPLE, ADA, format="json")
    assert (response.status_code, response["ETag"]) == (201, '"1"')
    body = response.json()
    person = Person.objects.get()
    assert response["Location"] == f"{PEOPLE}/{person.pk}"
    assert body["emails"] == ["ada@initech.example", "ada@home.example"]
    assert body["phones"] == [{"written": "+44 20 7946 0018", "e164": "+442079460018", "is_mobile": False}]
    assert (body["name"], body["company"], body["open_lead"]) == ("Ada Lovelace", None, None)
    assert body["created_at"].endswith("Z")
    assert client.get(response["Location"]).json() == body
    assert body.pop("probable_duplicates") == []  # told of one person, not in lists
    assert client.get(f"{PEOPLE}?ref=old-crm:P-7").json()["results"] == [body]
    assert client.get(f"{PEOPLE}?email=ADA@home.example").json()["results"] == [body]
    assert client.get(f"{PEOPLE}?ref=api:P-7").json()["results"] == []
    assert PersonRef.objects.get().source.kind == "api"


def test_errors_point_at_the_members_and_nothing_is_written(rita: User) -> None:
    client = client_for(rita)
    attributes.define(subject="person", key="seats", type="number", actor=None, now=clock.now())
    cases: list[tuple[dict[str, Any], str, list[str]]] = [
        ({}, "person_unidentified", ["/last_name"]),
        ({"last_name": "x" * 121}, "invalid", ["/last_name"]),
        ({"last_name": "L", "emails": ["nonsense"]}, "bad_email", ["/emails"]),
        ({"last_name": "L", "emails": "a@example.com"}, "invalid", ["/emails"]),
        ({"last_name": "L", "phones": ["no digits"]}, "bad_phone", ["/phones"]),
        ({"last_name": "L", "company": 10**12}, "invalid", ["/company"]),
        ({"last_name": "L", "company": True}, "invalid", ["/company"]),
        ({"last_name": "L", "attributes": {"seats": "many"}}, "bad_attribute", ["/attributes/seats"]),
        ({"last_name": "L", "attributes": {"nope": 1}}, "bad_attribute", ["/attributes/nope"]),
        ({"last_name": "L", "id": 7, "version": 9}, "invalid", ["/id", "/version"]),
        ({"last_name": "L", "refs": [{"source": "a", "external_id": "1", "x": 2}]}, "invalid", ["/refs/0/x"]),
        ({"last_name": "L", "refs": [{"source": "a b", "external_id": "1"}]}, "invalid", ["/refs/0/source"]),
    ]  # fmt: skip
    for body, code, pointers in cases:
        problem = assert_problem(client.post(PEOPLE, body, format="json"), 422, code)
        assert [e["pointer"] for e in problem["errors"]] == pointers, body
    assert Person.objects.count() == 0
    assert not Source.objects.filter(code="a").exists()


def test_an_address_of_somebody_else_is_a_conflict(rita: User) -> None:
    made(1)
    response = client_for(rita).post(PEOPLE, {"last_name": "L", "emails": ["p1@example.com"]}, format="json")
    assert_problem(response, 409, "identifier_taken")
    assert Person.objects.count() == 1


def test_an_edit_replaces_lists_and_merges_attributes(rita: User) -> None:
    attributes.define(subject="person", key="seats", type="number", actor=None, now=clock.now())
    person, client = made(1), client_for(rita)
    path = f"{PEOPLE}/{person.pk}"
    body = {"emails": ["new@example.com", "p1@example.com"], "attributes": {"seats": 5}, "company": None}
    assert_problem(client.patch(path, body, format="json"), 428, "precondition_required")
    done = client.patch(path, body, format="json", HTTP_IF_MATCH='"1"')
    assert (done.status_code, done["ETag"]) == (200, '"2"')
    assert done.json()["emails"] == ["new@example.com", "p1@example.com"]
    assert (done.json()["attributes"], done.json()["company"]) == ({"seats": 5}, None)
    assert_problem(client.patch(path, {"title": "x"}, format="json", HTTP_IF_MATCH='"1"'), 412, "stale")
    assert PersonEmail.objects.get(is_primary=True).email == "new@example.com"
    assert Person.objects.get().title == ""


def test_who_only_reads_edits_nobody(olga: User) -> None:
    person, client = made(1), client_for(olga)
    path = f"{PEOPLE}/{person.pk}"
    assert client.get(path).status_code == 200
    assert_problem(client.patch(path, {"title": "x"}, format="json", HTTP_IF_MATCH="*"), 403, "denied")
    assert Person.objects.get().version == 1


def test_pages_are_complete_although_rows_arrive_meanwhile(rita: User) -> None:
    there = {made(n).pk for n in range(7)}
    client = client_for(rita)
    seen: list[int] = []
    for rows in pages(client, f"{PEOPLE}?ordering=name&limit=2"):
        seen += [row["id"] for row in rows]
        made(10 + len(seen))  # "Person 1x" sorts before most that are still to come
    assert len(seen) == len(set(seen))
    assert there <= set(seen)


def test_a_list_asks_as_many_questions_for_one_person_as_for_nine(rita: User) -> None:
    client = client_for(rita)
    client.get(PEOPLE)
    counts = []
    for many in (1, 8):
        for n in range(many):
            made(100 * many + n)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(PEOPLE).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_search_finds_by_name_and_company(rita: User) -> None:
    first = made(1)
    made(2)
    client = client_for(rita)
    found = client.get(f"{PEOPLE}?search=person company+1").json()["results"]
    assert [row["id"] for row in found] == [first.pk]
    assert client.get(f"{PEOPLE}?search=%25").json()["results"] == []


def test_the_behaviour_of_a_person_is_read_page_by_page(rita: User) -> None:
    person, other = made(1), made(2)
    now = clock.now()
    web = Source.objects.get(code="web")
    rows = [
        EventInput(source=web, message_id=f"m{n}", kind="page", url=f"/{n}", occurred_at=now, person_id=p.pk)
        for n, p in enumerate([person, person, other])
    ]
    events.record(rows=rows, now=now)
    client = client_for(rita)
    page = client.get(f"{PEOPLE}/{person.pk}/events?limit=1&kind=page").json()
    assert (len(page["results"]), page["next"] is None) == (1, False)
    assert len(client.get(f"{PEOPLE}/{person.pk}/events").json()["results"]) == 2
    assert_problem(client.get(f"{PEOPLE}/{10**12}/events"), 404, "not_found")
    assert_problem(client.get(f"{PEOPLE}/{person.pk}/events?occurred_from=2026-01-01"), 400, "bad_parameter")


def test_a_person_who_was_merged_leads_to_who_goes_on_and_takes_nothing_new(rita: User) -> None:
    gone, kept, client = made(1), made(2), client_for(rita)
    Person.objects.filter(pk=gone.pk).update(merged_into=kept)
    assert_problem(client.get(f"{PEOPLE}/{10**12}"), 404, "not_found")
    moved = client.get(f"{PEOPLE}/{gone.pk}")
    assert (moved.status_code, moved["Location"]) == (301, f"{PEOPLE}/{kept.pk}")
    assert_problem(client.get(f"{PEOPLE}/{gone.pk}/events"), 404, "not_found")
    details = []
    for pk in (gone.pk, 10**12):
        response = client.post("/api/v1/activities", {"person": pk, "kind": "call"}, format="json")
        problem = assert_problem(response, 422, "invalid")
        details.append(problem["errors"][0]["detail"].replace(str(pk), "N"))
    assert details[0] == details[1]


def test_a_person_is_handed_out_and_erased_by_who_may(rita: User, adam: User) -> None:
    person = made(1)
    sure = {"confirm": person.pk}
    assert client_for(rita).post(f"{PEOPLE}/{person.pk}/erase", sure, format="json").status_code == 403
    assert PersonEmail.objects.count() == 1
    for path in ("export", "erase"):
        absent = client_for(adam).post(f"{PEOPLE}/{person.pk + 99}/{path}", sure, format="json")
        assert absent.status_code == 404
    told = client_for(adam).post(f"{PEOPLE}/{person.pk}/export").json()
    assert told["person"]["last_name"] == "Person 1"
    unsure = client_for(adam).post(f"{PEOPLE}/{person.pk}/erase", {"confirm": person.pk + 1}, format="json")
    assert_problem(unsure, 422, "not_confirmed")
    assert Person.objects.get().last_name == "Person 1"

    done = client_for(adam).post(
        f"{PEOPLE}/{person.pk}/erase", {"confirm": person.pk, "reason": "asked"}, format="json"
    )
    assert done.status_code == 200, done.content
    assert (done.json()["person"], done.json()["swept_at"]) == (person.pk, None)
    assert not PersonEmail.objects.exists()
    again = client_for(adam).post(f"{PEOPLE}/{person.pk}/erase", {"confirm": person.pk}, format="json")
    assert_problem(again, 409, "already_erased")
