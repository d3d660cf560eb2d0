"""Handoffs over the API: who may answer, once, and take it back."""

from __future__ import annotations

from typing import Any

import pytest

from funnel.models import Handoff, LeadState
from smarketing.users.models import User
from tests.rest import assert_problem, client_for
from tests.web.rest.test_matrix import digest

pytestmark = pytest.mark.django_db
HANDOFFS = "/api/v1/handoffs"


def test_the_owner_accepts_once(rita: User, waiting: Handoff) -> None:
    client, path = client_for(rita), f"{HANDOFFS}/{waiting.pk}"
    read = client.get(path)
    assert read.json()["packet"]["scores"]["cell"] == "B1"
    done = client.post(f"{path}/accept", HTTP_IF_MATCH=read["ETag"])
    assert (done.status_code, done.json()["state"]) == (200, "accepted")
    assert (done.json()["answered_by"], done.json()["answered_at"]) == (
        {"id": rita.pk, "name": "Rita Rep"},
        "2026-03-02T12:00:00Z",
    )
    assert done["ETag"] != read["ETag"]
    assert_problem(client.post(f"{path}/accept"), 409, "already_answered")
    assert_problem(
        client.post(f"{path}/return", {"reason": "no_need"}, format="json"), 409, "already_answered"
    )


@pytest.mark.parametrize(
    ("who", "code"),
    [("rob", "answer_not_allowed"), ("mara", "denied"), ("max_", "denied"), ("olga", "denied")],
)
def test_nobody_else_answers_and_nothing_changes(
    request: pytest.FixtureRequest, waiting: Handoff, who: str, code: str
) -> None:
    client = client_for(request.getfixturevalue(who))
    client.get("/api/v1/me")
    before = digest()
    for verb, body in (("accept", {}), ("return", {"reason": "no_need"})):
        assert_problem(client.post(f"{HANDOFFS}/{waiting.pk}/{verb}", body, format="json"), 403, code)
    assert client.post(f"{HANDOFFS}/{waiting.pk}/undo").status_code in (403, 409)
    assert digest() == before


def test_a_sales_manager_answers_for_others(sam: User, waiting: Handoff) -> None:
    done = client_for(sam).post(f"{HANDOFFS}/{waiting.pk}/accept")
    assert (done.status_code, done.json()["answered_by"]["id"]) == (200, sam.pk)


def test_a_stale_answer_is_refused(rita: User, waiting: Handoff) -> None:
    response = client_for(rita).post(f"{HANDOFFS}/{waiting.pk}/accept", HTTP_IF_MATCH='"999"')
    assert_problem(response, 412, "stale")
    waiting.refresh_from_db()
    assert waiting.state == "delivered"


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({}, "invalid", "/reason"),
        ({"reason": "bored"}, "invalid", "/reason"),
        ({"reason": "no_fit"}, "return_not_possible", "/note"),
        ({"reason": "no_need", "state": "accepted"}, "invalid", "/state"),
    ],
)
def test_a_return_says_why(
    rita: User, waiting: Handoff, body: dict[str, Any], code: str, pointer: str
) -> None:
    problem = assert_problem(
        client_for(rita).post(f"{HANDOFFS}/{waiting.pk}/return", body, format="json"), 422, code
    )
    assert [e["pointer"] for e in problem["errors"]] == [pointer]
    waiting.refresh_from_db()
    assert waiting.state == "delivered"


def test_a_return_moves_the_lead_and_is_taken_back(rita: User, waiting: Handoff) -> None:
    client, path = client_for(rita), f"{HANDOFFS}/{waiting.pk}"
    body = {"reason": "no_fit", "note": "They sell lemonade"}
    done = client.post(f"{path}/return", body, format="json").json()
    assert (done["state"], done["return_reason"], done["return_note"]) == ("returned", "no_fit", body["note"])
    state = LeadState.objects.get(lead=waiting.lead_id)
    assert (state.stage.code, state.owner) == ("disqualified", None)
    back = client.post(f"{path}/undo")
    assert (back.status_code, back.json()["state"], back.json()["return_reason"]) == (200, "delivered", "")
    state = LeadState.objects.get(lead=waiting.lead_id)
    assert (state.stage.code, state.owner) == ("mql", rita)
    assert client.post(f"{path}/undo").status_code == 403


def test_a_manager_gives_it_to_another_owner(sam: User, rob: User, rita: User, waiting: Handoff) -> None:
    path = f"{HANDOFFS}/{waiting.pk}/reassign"
    assert_problem(client_for(rita).post(path, {"owner": rob.pk}, format="json"), 403, "denied")
    done = client_for(sam).post(path, {"owner": rob.pk}, format="json")
    assert (done.status_code, done.json()["owner"]["id"]) == (200, rob.pk)
    assert LeadState.objects.get(lead=waiting.lead_id).owner == rob


def test_the_list_is_narrowed_and_leaves_the_packet_out(mara: User, rita: User, waiting: Handoff) -> None:
    client = client_for(mara)
    for query, found in {
        f"state=delivered&owner={rita.pk}": 1,
        "state=accepted": 0,
        "state=accepted&state=delivered": 1,
        f"lead={waiting.lead_id}": 1,
        "delivered_from=2026-03-02T11:00:00Z&delivered_to=2026-03-02T11:00:01Z": 1,
        "delivered_to=2026-03-02T11:00:00Z": 0,
        "ordering=delivered_at": 1,
    }.items():
        rows = client.get(f"{HANDOFFS}?{query}").json()["results"]
        assert len(rows) == found, query
        assert all("packet" not in row for row in rows)
    assert_problem(client.get(f"{HANDOFFS}?state=gone"), 400, "bad_parameter")
    assert_problem(client.get(f"{HANDOFFS}/{10**12}"), 404, "not_found")
