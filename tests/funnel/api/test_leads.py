"""Leads over the API: captured, read, moved, assigned, delivered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.serializers import Serializer

from funnel.api.lead_outputs import LeadDetailOut, LeadOut
from funnel.models import Assignment, Handoff, LeadState, StageTransition
from leads.models import Lead, Person, Source, Touchpoint
from leads.services import attributes, companies
from smarketing.core import clock
from smarketing.users.models import User
from tests.funnel.conftest import DAY, NOW, asks_for_demo, capture_lead
from tests.rest import assert_problem, client_for, pages

pytestmark = pytest.mark.django_db
LEADS = "/api/v1/leads"
GRACE: dict[str, Any] = {
    "person": {"first_name": "Grace", "last_name": "Hopper", "email": "grace@navy.example", "title": "Head"},
    "company": {"name": "Navy", "domain": "navy.example"},
    "origin": "fair",
    "channel": "event",
    "landing_page": "https://example.com/fair",
    "source": "fair-app",
    "external_id": "scan-9",
}


def ids(response: Any) -> list[int]:
    return [row["id"] for row in response.json()["results"]]


# --- capture ------------------------------------------------------------------------------------------
def test_a_lead_is_captured_with_its_person_company_and_score(mara: User) -> None:
    client = client_for(mara)
    response = client.post(LEADS, GRACE, format="json")
    assert response.status_code == 201, response.content
    lead = Lead.objects.get()
    assert response["Location"] == f"{LEADS}/{lead.pk}"
    assert response["ETag"] == '"1.1"'
    body = response.json()
    assert body == {
        "id": lead.pk,
        "person": {
            "id": lead.person_id, "name": "Grace Hopper", "first_name": "Grace", "last_name": "Hopper",
            "title": "Head", "emails": ["grace@navy.example"], "phones": [], "country": "",
        },
        "company": {"id": lead.company_id, "name": "Navy", "domain": "navy.example"},
        "lap": 1,
        "stage": "lead",
        "entered_at": "2026-03-02T12:00:00Z",
        "owner": None,
        "score": {
            "fit": 45.0, "fit_band": "B", "interest": 0.0, "interest_band": 3, "cell": "B3",
            "action": "nurture", "qualified_at": None,
        },
        "origin": "fair",
        "channel": "event",
        "campaign": None,
        "landing_page": "https://example.com/fair",
        "description": "",
        "attributes": {},
        "source": "fair-app",
        "external_id": "scan-9",
        "captured_at": "2026-03-02T12:00:00Z",
        "closed_at": None,
        "created_at": "2026-03-02T12:00:00Z",
        "updated_at": "2026-03-02T12:00:00Z",
        "version": "1.1",
        "handoff": None,
        "qualification": None,
    }  # fmt: skip
    assert client.get(response["Location"]).json() == body


def test_the_same_external_id_again_is_found_and_changes_nothing(mara: User) -> None:
    client = client_for(mara)
    first = client.post(LEADS, GRACE, format="json")
    again = client.post(LEADS, {**GRACE, "origin": "other"}, format="json")
    assert (again.status_code, again.json()) == (200, first.json())
    assert (Lead.objects.count(), Touchpoint.objects.count()) == (1, 1)


def test_an_open_lap_is_found_its_blanks_are_filled_and_a_touchpoint_is_added(mara: User) -> None:
    client = client_for(mara)
    first = client.post(LEADS, {"person": {"email": "grace@navy.example"}}, format="json").json()
    again = client.post(LEADS, GRACE, format="json")
    assert (again.status_code, again.json()["id"], again.json()["origin"]) == (200, first["id"], "fair")
    assert again.json()["person"]["last_name"] == "Hopper"
    assert Touchpoint.objects.count() == 2


def test_a_known_person_is_named_by_id_alone(mara: User, lead: Lead) -> None:
    client = client_for(mara)
    body = {"person": {"id": lead.person_id}}
    assert client.post(LEADS, body, format="json").json()["id"] == lead.pk
    both = {"person": {"id": lead.person_id, "last_name": "x"}}
    problem = assert_problem(client.post(LEADS, both, format="json"), 422, "either_or")
    assert [e["pointer"] for e in problem["errors"]] == ["/person/last_name"]


@pytest.mark.parametrize(
    ("body", "code", "pointers"),
    [
        ({}, "invalid", ["/person"]),
        ({"person": {}}, "person_unidentified", ["/person/last_name"]),
        ({"person": "Ada"}, "invalid", ["/person"]),
        ({"person": {"email": "nonsense"}}, "bad_email", ["/person/email"]),
        ({"person": {"emails": ["nonsense"]}}, "bad_email", ["/person/emails"]),
        ({"person": {"phone": "none"}}, "bad_phone", ["/person/phone"]),
        ({"person": {"last_name": "x", "role": "admin"}}, "invalid", ["/person/role"]),
        ({"person": {"last_name": "x", "attributes": {"n": 1}}}, "bad_attribute", ["/person/attributes/n"]),
        ({"person": {"last_name": "x"}, "attributes": {"n": 1}}, "bad_attribute", ["/attributes/n"]),
        ({"person": {"last_name": "x"}, "company": {"name": "A", "x": 1}}, "invalid", ["/company/x"]),
        ({"person": {"last_name": "x"}, "company": {"id": 10**12}}, "invalid", ["/company/id"]),
        ({"person": {"last_name": "x"}, "channel": "nope"}, "invalid", ["/channel"]),
        ({"person": {"last_name": "x"}, "campaign": 10**12}, "invalid", ["/campaign"]),
        ({"person": {"last_name": "x"}, "stage": "customer", "owner": 1}, "invalid", ["/owner", "/stage"]),
        ({"person": {"last_name": "x"}, "captured_at": "2026-03-02T10:00"}, "invalid", ["/captured_at"]),
        ({"person": {"phone": "1"}, "captured_at": "9999-01-01T00:00Z"}, "in_the_future", ["/captured_at"]),
        ({"person": {"last_name": "x"}, "source": "Ä"}, "invalid", ["/source"]),
    ],
)  # fmt: skip
def test_a_lead_that_can_not_be_captured_is_told_why(
    mara: User, body: dict[str, Any], code: str, pointers: list[str]
) -> None:
    problem = assert_problem(client_for(mara).post(LEADS, body, format="json"), 422, code)
    assert [e["pointer"] for e in problem["errors"]] == pointers
    assert (Lead.objects.count(), Person.objects.count()) == (0, 0)


def test_a_repeated_post_with_its_key_happens_once(mara: User) -> None:
    client = client_for(mara)
    body = {"person": {"last_name": "Known by name only"}}
    first = client.post(LEADS, body, format="json", HTTP_IDEMPOTENCY_KEY="k")
    again = client.post(LEADS, body, format="json", HTTP_IDEMPOTENCY_KEY="k")
    assert (again.status_code, again.json(), again["ETag"]) == (201, first.json(), first["ETag"])
    assert again["Idempotent-Replayed"] == "true"
    assert Lead.objects.count() == 1


# --- many at once -------------------------------------------------------------------------------------
def test_rows_are_stored_or_refused_one_by_one(mara: User) -> None:
    rows: list[Any] = [
        {"person": {"email": "a@example.com"}},
        {"person": {"email": "nonsense"}, "company": {"name": "Leaves nothing behind"}},
        "not an object",
        {"person": {"email": "a@example.com"}, "origin": "again"},
        {"person": {"email": "b@example.com"}, "nope": 1},
        {"person": {"email": "b@example.com"}},
    ]
    response = client_for(mara).post(f"{LEADS}/bulk", {"rows": rows}, format="json")
    assert response.status_code == 201, response.content
    body = response.json()
    assert (body["created"], body["found"], body["refused"]) == (2, 1, 3)
    told = [(r["row"], r["status"], [e["pointer"] for e in r["errors"]]) for r in body["results"]]
    assert told == [
        (0, "created", []),
        (1, "refused", ["/person/email"]),
        (2, "refused", [""]),
        (3, "found", []),
        (4, "refused", ["/nope"]),
        (5, "created", []),
    ]
    assert body["results"][3]["id"] == body["results"][0]["id"]
    assert {lead.state.stage.code for lead in Lead.objects.all()} == {"lead"}
    assert not Person.objects.filter(company__name="Leaves nothing behind").exists()


def test_a_thousand_rows_are_the_most(mara: User) -> None:
    client = client_for(mara)
    wrong: list[Any] = [[], [{}] * 1001, {"a": 1}]
    for rows in wrong:
        problem = assert_problem(client.post(f"{LEADS}/bulk", {"rows": rows}, format="json"), 422, "invalid")
        assert [e["pointer"] for e in problem["errors"]] == ["/rows"]
    refused = client.post(f"{LEADS}/bulk", {"rows": [{}, {}]}, format="json")
    assert (refused.status_code, refused.json()["refused"]) == (200, 2)
    assert Lead.objects.count() == 0


# --- lists --------------------------------------------------------------------------------------------
def test_the_list_is_narrowed_by_the_filters_of_the_page(mara: User, rita: User, web: Source) -> None:
    attributes.define(subject="lead", key="seats", type="number", actor=None, now=NOW)
    first = capture_lead(web, origin="fair", attributes={"seats": 50})
    second = capture_lead(web, at=NOW - DAY, title="", company="")
    asks_for_demo(first, at=NOW + timedelta(hours=1))
    client = client_for(mara)
    narrowed = {
        "stage=mql": [first.pk],
        "stage=mql&stage=lead": [first.pk, second.pk],
        f"owner={rita.pk}": [first.pk],
        "owner=nobody": [second.pk],
        "fit=C": [second.pk],
        "interest=1&action=hand_off": [first.pk],
        "origin=fair": [first.pk],
        "source=web": [first.pk, second.pk],
        "captured_from=2026-03-02T00:00:00Z": [first.pk],
        "captured_to=2026-03-02T00:00:00%2B00:00": [second.pk],
        f"person={second.person_id}": [second.pk],
        "lead_seats_min=49": [first.pk],
        "lead_seats_min=51": [],
        "search=initech.example+lovelace": [first.pk, second.pk],
        "open=true": [first.pk, second.pk],
        "ordering=captured_at": [second.pk, first.pk],
        "ordering=-interest": [first.pk],
        "ordering=-fit": [first.pk, second.pk],
    }
    for query, expected in narrowed.items():
        response = client.get(f"{LEADS}?{query}")
        assert response.status_code == 200, f"{query}: {response.content!r}"
        assert ids(response) == expected, query


@pytest.mark.parametrize(
    "query",
    [
        "colour=red", "stage=nope", "owner=x", "owner=99999999999999999999", "fit=D",
        "captured_from=2026-03-02",
        "ordering=password", "ordering=fit,interest", "ordering=-fit,id", "lead__person__id=1", "person=0",
        "lead_seats=1", "search=" + "x" * 201, "captured_from=0392-10-29T21:06:43%2B99:30",
    ],
)  # fmt: skip
def test_what_the_list_does_not_know_is_400(mara: User, query: str) -> None:
    assert_problem(client_for(mara).get(f"{LEADS}?{query}"), 400, "bad_parameter")


@pytest.mark.parametrize("ordering", ["-captured_at", "captured_at", "-fit", "-interest", "id"])
def test_pages_hold_every_lead_once_although_others_arrive(mara: User, web: Source, ordering: str) -> None:
    there = []
    for hours in range(5):
        there.append(capture_lead(web, at=NOW - timedelta(hours=hours // 2)))
        asks_for_demo(there[-1], at=NOW)
    seen: list[int] = []
    for rows in pages(client_for(mara), f"{LEADS}?ordering={ordering}&limit=2"):
        seen += [row["id"] for row in rows]
        asks_for_demo(capture_lead(web, at=NOW + timedelta(minutes=len(seen))), at=NOW + timedelta(hours=1))
        assert len(seen) < 40
    assert len(seen) == len(set(seen))
    assert {lead.pk for lead in there} <= set(seen)


def test_a_list_asks_as_many_questions_for_one_lead_as_for_seven(mara: User, web: Source) -> None:
    client = client_for(mara)
    client.get(LEADS)
    counts = []
    for many in (1, 6):
        for _ in range(many):
            capture_lead(web)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(LEADS).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 6


def test_the_document_tells_the_members_that_a_lead_has(waiting: Handoff, mara: User) -> None:
    client = client_for(mara)
    attributes.define(subject="lead", key="size", type="number", actor=None, now=NOW)
    person = {**GRACE["person"], "emails": ["g@navy.example"], "phones": ["+49 30 901820", "ext. 7"]}
    client.post(LEADS, {**GRACE, "person": person, "attributes": {"size": 3}}, format="json")
    bare = client.post(LEADS, {"person": {"last_name": "Nobody"}}, format="json")
    assert list(bare.json()) == list(LeadDetailOut().fields)
    seen = client.get(LEADS).json()["results"]
    assert [list(row) for row in seen] == [list(LeadOut().fields)] * 3
    for row in seen:
        for name, field in LeadOut().fields.items():
            if isinstance(field, Serializer) and row[name] is not None:
                assert list(row[name]) == list(field.fields), name
            assert row[name] is not None or field.allow_null, name
    nobody, grace, ada = seen
    assert grace["person"]["emails"] == ["grace@navy.example", "g@navy.example"]
    assert grace["person"]["phones"] == ["+4930901820", "ext. 7"]
    assert (grace["attributes"], nobody["company"], nobody["owner"]) == ({"size": 3}, None, None)
    assert ada["owner"] == {"id": waiting.owner_id, "name": "Rita Rep"}
    assert ada["score"]["qualified_at"] == "2026-03-02T11:00:00Z"


# --- edits and actions --------------------------------------------------------------------------------
def test_an_edit_needs_the_version_and_a_move_makes_it_another(mara: User, lead: Lead) -> None:
    client, path = client_for(mara), f"{LEADS}/{lead.pk}"
    read = client.get(path)["ETag"]
    company = companies.create(name="Umbrella", actor=None, now=clock.now())
    assert_problem(client.patch(path, {"origin": "x"}, format="json"), 428, "precondition_required")
    moved = client.post(f"{path}/move", {"to": "nurture", "reason": "next year"}, format="json")
    assert (moved.status_code, moved.json()["stage"]) == (200, "nurture")
    stale = client.patch(path, {"origin": "x"}, format="json", HTTP_IF_MATCH=read)
    assert_problem(stale, 412, "stale")
    body = {"origin": "fair", "company": company.pk}
    done = client.patch(path, body, format="json", HTTP_IF_MATCH=moved["ETag"])
    assert (done.status_code, done.json()["company"]["name"]) == (200, "Umbrella")
    assert done.json()["version"] == done["ETag"].strip('"') != moved.json()["version"]
    assert Lead.objects.get().origin == "fair"


def test_stage_owner_and_score_can_not_be_written(mara: User, lead: Lead) -> None:
    client, path = client_for(mara), f"{LEADS}/{lead.pk}"
    body = {"stage": "customer", "owner": mara.pk, "score": {}, "lap": 7, "person": 1, "captured_at": "x"}
    problem = assert_problem(client.patch(path, body, format="json", HTTP_IF_MATCH="*"), 422, "invalid")
    assert [e["pointer"] for e in problem["errors"]] == [f"/{name}" for name in sorted(body)]
    assert Lead.objects.get().version == 1


def test_moves_that_the_table_does_not_hold_are_refused(mara: User, lead: Lead) -> None:
    client, path = client_for(mara), f"{LEADS}/{lead.pk}/move"
    moves = StageTransition.objects.count()
    problem = assert_problem(client.post(path, {"to": "nowhere"}, format="json"), 422, "invalid")
    assert [e["pointer"] for e in problem["errors"]] == ["/to"]
    response = client.post(path, {"to": "visitor"}, format="json")
    assert response.status_code == 409
    assert StageTransition.objects.count() == moves


def test_owners_are_changed_by_managers(rita: User, rob: User, sam: User, lead: Lead) -> None:
    path = f"{LEADS}/{lead.pk}/assign"
    assert_problem(client_for(rita).post(path, {"owner": rita.pk}, format="json"), 403, "denied")
    assert Assignment.objects.count() == 0
    client = client_for(sam)
    done = client.post(path, {"owner": rob.pk}, format="json")
    assert (done.status_code, done.json()["owner"]) == (200, {"id": rob.pk, "name": "Rob Rep"})
    assert client.post(path, {"owner": None}, format="json").json()["owner"] is None
    for body in ({}, {"owner": 10**12}, {"owner": "x"}):
        problem = assert_problem(client.post(path, body, format="json"), 422, "invalid")
        assert [e["pointer"] for e in problem["errors"]] == ["/owner"]
    assert Assignment.objects.count() == 2


def test_somebody_who_can_not_own_leads_is_refused(sam: User, mara: User, lead: Lead) -> None:
    response = client_for(sam).post(f"{LEADS}/{lead.pk}/assign", {"owner": mara.pk}, format="json")
    problem = assert_problem(response, 422, "not_an_owner")
    assert [e["pointer"] for e in problem["errors"]] == ["/owner"]
    assert LeadState.objects.get().owner is None


def test_the_gate_says_what_is_missing_and_a_manager_overrides_it(
    mara: User, max_: User, rita: User, lead: Lead
) -> None:
    path = f"{LEADS}/{lead.pk}/deliver"
    held = client_for(mara).post(path, {}, format="json")
    assert (held.status_code, held.json()["state"], held.json()["missing"]) == (
        200,
        "gate_failed",
        ["definition"],
    )
    reason = {"override_reason": "Met at the fair", "owner": rita.pk}
    assert_problem(client_for(mara).post(path, reason, format="json"), 403, "delivery_not_allowed")
    assert_problem(client_for(rita).post(path, {}, format="json"), 403, "denied")
    assert set(Handoff.objects.values_list("state", flat=True)) == {"gate_failed"}
    done = client_for(max_).post(path, reason, format="json")
    assert (done.status_code, done.json()["state"]) == (200, "delivered")
    assert (done.json()["owner"]["id"], done.json()["override_reason"]) == (rita.pk, "Met at the fair")
    assert_problem(client_for(max_).post(path, {}, format="json"), 409, "not_deliverable")


def test_need_and_budget_make_an_accepted_lead_an_sql(rita: User, mara: User, waiting: Handoff) -> None:
    client, path = client_for(rita), f"{LEADS}/{waiting.lead_id}"
    body = {"need": "Fewer tools", "budget": "9000", "currency": "eur"}
    assert_problem(client_for(mara).post(f"{path}/qualification", body, format="json"), 403, "denied")
    done = client.post(f"{path}/qualification", body, format="json")
    assert (done.json()["budget"], done.json()["currency"], done.json()["is_complete"]) == (
        "9000.00",
        "EUR",
        True,
    )
    assert client.get(path).json()["stage"] == "mql"
    client.post(f"/api/v1/handoffs/{waiting.pk}/accept")
    assert client.get(path).json()["stage"] == "sql"
    wrong = client.post(f"{path}/qualification", {"need": "x", "budget": "5", "currency": "€"}, format="json")
    assert [e["pointer"] for e in assert_problem(wrong, 422, "bad_budget")["errors"]] == ["/currency"]


def test_the_score_is_explained_and_its_parts_add_up(
    mara: User, lead: Lead, qualify: Callable[[Lead], Lead]
) -> None:
    qualify(lead)
    client = client_for(mara)
    told = client.get(f"{LEADS}/{lead.pk}/score").json()
    interest = told["interest"]
    assert round(sum(s["shown"] for s in interest["signals"]), 6) == round(interest["score"], 6) > 0
    assert told["cell"] == client.get(f"{LEADS}/{lead.pk}").json()["score"]["cell"] == "B1"


def test_the_score_is_explained_as_it_was_at_an_instant(
    mara: User, lead: Lead, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW + 100 * DAY)
    asks_for_demo(lead, at=NOW + DAY)
    client, path = client_for(mara), f"{LEADS}/{lead.pk}/score"

    def then(at: str) -> dict[str, Any]:
        told: dict[str, Any] = client.get(path, {"at": at}).json()
        shown = sum(s["shown"] for s in told["interest"]["signals"])
        assert round(shown, 6) == told["interest"]["score"]
        return told

    before, after = then("2026-03-02T11:00:00Z"), then("2026-03-04T00:00:00Z")
    assert (before["cell"], before["interest"]["score"], before["qualified_at"]) == ("B3", 0, None)
    assert (after["cell"], after["interest"]["score"]) == (
        "B1",
        53.7,
    )  # 55 points, a day after their day began
    assert after["qualified_at"] == "2026-03-03T10:00:00+00:00"
    later = then("2026-05-02T00:00:00Z")  # two half-lives: a quarter; band 2 is held down to 13.5
    assert (later["cell"], later["interest"]["score"]) == ("B2", 13.8)
    Person.objects.filter(pk=lead.person_id).update(title="Student", updated_at=NOW + 5 * DAY)
    assert then("2026-03-04T00:00:00Z")["action"] == "hand_off"
    assert then("2026-03-09T00:00:00Z")["excluded"] == "Student"
    for wrong in ("yesterday", "2026-03-04T00:00:00", "2026-03-01T00:00:00Z", "2126-03-01T00:00:00Z"):
        assert_problem(client.get(path, {"at": wrong}), 400, "bad_parameter")


def test_a_lead_out_of_sight_and_an_absent_one_read_alike(mara: User, lead: Lead) -> None:
    client = client_for(mara)
    for path in ("", "/score", "/move", "/assign", "/deliver", "/qualification"):
        method = client.get if path in ("", "/score") else client.post
        assert method(f"{LEADS}/{10**12}{path}", format="json").status_code in (403, 404)
    assert_problem(client.get(f"{LEADS}/{10**12}"), 404, "not_found")
    assert_problem(client.get(f"{LEADS}/x"), 404, "not_found")
