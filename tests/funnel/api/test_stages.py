"""Stages and transitions over the REST interface."""

from __future__ import annotations

import pytest

from funnel.models import Stage
from tests.rest import assert_problem, client_for

pytestmark = pytest.mark.django_db


def test_managers_set_stages_up_and_others_read_them(sam, rita, olga):
    body = {"name": "Engaged", "role": "main", "after": "lead", "owner_side": "marketing",
            "rule": [{"path": "score.interest", "operator": "at_least", "value": 10}]}  # fmt: skip
    for user in (rita, olga):
        assert client_for(user).post("/api/v1/stages", body, format="json").status_code == 403
    made = client_for(sam).post("/api/v1/stages", body, format="json")
    assert made.status_code == 201
    told = made.json()
    assert (told["code"], told["counts_as"], told["position"], told["rule"]) == (
        "engaged",
        "lead",
        2,
        body["rule"],
    )
    path = f"/api/v1/stages/{told['id']}"
    assert client_for(olga).get(path).json() == told
    wrong = client_for(sam).patch(path, {"rule": [{"path": "x.y", "operator": "known"}]},
                                  format="json", headers={"If-Match": made["ETag"]})  # fmt: skip
    assert_problem(wrong, 422, "bad_stage")
    changed = client_for(sam).patch(
        path, {"meaning": "They answered."}, format="json", headers={"If-Match": made["ETag"]}
    )
    assert (changed.json()["meaning"], changed.json()["version"]) == ("They answered.", 2)
    stale = client_for(sam).patch(path, {"name": "X"}, format="json", headers={"If-Match": made["ETag"]})
    assert stale.status_code == 412
    versions = client_for(rita).get(f"{path}/versions").json()["results"]
    assert [(v["version"], v["document"]["meaning"]) for v in versions] == [(2, "They answered."), (1, "")]
    assert client_for(rita).post(f"{path}/retire").status_code == 403
    assert client_for(sam).post(f"{path}/retire").json()["is_active"] is False
    assert client_for(sam).post(f"{path}/restore").json()["is_active"] is True
    mql = Stage.objects.get(code="mql")
    assert_problem(client_for(sam).post(f"/api/v1/stages/{mql.pk}/retire"), 409, "stage_in_use")


def test_a_move_is_written_and_read_as_a_transition(lead, rita, mara, olga):
    path = "/api/v1/transitions"
    body = {"lead": lead.pk, "to": "opportunity", "reason": "Deal on the phone"}
    assert client_for(olga).post(path, body, format="json").status_code == 403
    made = client_for(mara).post(path, body, format="json")
    assert made.status_code == 201
    told = made.json()
    assert (
        told["from_stage"],
        told["to_stage"],
        told["is_implied"],
        told["cause"],
        told["stage_version"],
    ) == (
        "sql",
        "opportunity",
        False,
        "manual",
        1,
    )
    assert client_for(mara).post(path, body, format="json").status_code == 200  # it stands there already
    listed = client_for(olga).get(f"{path}?lead={lead.pk}").json()["results"]
    assert [(row["seq"], row["to_stage"], row["is_implied"]) for row in listed] == [
        (4, "opportunity", False),
        (3, "sql", True),
        (2, "mql", True),
        (1, "lead", False),
    ]
    assert client_for(olga).get(f"{path}/{told['id']}").json() == told
    assert len(client_for(olga).get(f"{path}?stage=sql").json()["results"]) == 1
    assert client_for(olga).get(f"{path}?cause=nonsense").status_code == 400
    back = client_for(mara).post(path, {**body, "to": "visitor"}, format="json")
    assert_problem(back, 409, "no_such_move")


def test_an_sql_over_the_interface_needs_acceptance_need_and_budget(waiting, rita):
    path, client = "/api/v1/transitions", client_for(rita)
    body = {"lead": waiting.lead_id, "to": "sql"}
    refused = assert_problem(client.post(path, body, format="json"), 422, "not_ready")
    assert refused["errors"][0]["code"] == "not_accepted"
    assert client.post(f"/api/v1/handoffs/{waiting.pk}/accept").status_code == 200
    refused = assert_problem(client.post(path, body, format="json"), 422, "not_ready")
    assert [e["pointer"] for e in refused["errors"]] == ["/need", "/budget"]
    found = {"need": "Fewer tools", "budget": "9000.00", "currency": "EUR"}
    assert client.post(path, {**body, **found}, format="json").json()["to_stage"] == "sql"


def test_figures_of_the_stages_are_what_the_board_shows(lead, olga):
    client = client_for(olga)
    rows = client.get("/api/v1/stages/figures").json()["results"]
    told = next(row for row in rows if row["stage"] == "lead")
    assert (told["here"], told["came"], told["known"], told["undecided"], told["conversion"]) == (
        1,
        1,
        0,
        1,
        None,
    )
    assert client.get("/api/v1/stages/figures?owner=x").status_code == 400
