"""The definition over the API."""

from __future__ import annotations

from typing import Any

import pytest

from smarketing.users.models import User
from tests.rest import assert_problem, client_for

pytestmark = pytest.mark.django_db
DEFINITIONS = "/api/v1/definitions"


def test_the_version_in_force_is_told_as_data_and_in_sentences(olga: User) -> None:
    client = client_for(olga)
    current = client.get(f"{DEFINITIONS}/current").json()
    assert (current["number"], current["state"]) == (1, "in_force")
    assert client.get(f"{DEFINITIONS}/1").json() == current
    told = current["sentences"]
    assert "+25 when the company's number of employees is at least 50" in told["fit"]
    assert "+40 for: Form, when the event's name contains “demo” (counts once a day)" in told["interest"]
    assert "A1: Hand off" in told["cells"]
    assert len(told["fit"]) == len(current["body"]["fit"])
    assert len(told["interest"]) == len(current["body"]["signals"]) + 1


def test_the_list_leaves_the_documents_out(olga: User) -> None:
    client = client_for(olga)
    (row,) = client.get(f"{DEFINITIONS}?state=in_force").json()["results"]
    assert "body" not in row
    assert client.get(f"{DEFINITIONS}?state=draft").json()["results"] == []
    assert_problem(client.get(f"{DEFINITIONS}/{10**12}"), 404, "not_found")
    assert client.post(DEFINITIONS, {}, format="json").status_code == 403


def test_a_version_is_drafted_edited_discussed_proposed_and_told_by_its_changes(
    sam: User, rita: User
) -> None:
    client = client_for(sam)
    made = client.post(DEFINITIONS, {"base": "need_and_budget", "name": "BANT"}, format="json")
    assert (made.status_code, made["Location"], made.json()["name"]) == (201, f"{DEFINITIONS}/2", "BANT")
    assert client.post(DEFINITIONS, {}, format="json").status_code == 200
    assert_problem(client_for(rita).get(f"{DEFINITIONS}/2"), 404, "not_found")
    body = made.json()["body"] | {"half_life_days": 10}
    bad = client.patch(
        f"{DEFINITIONS}/2", {"body": body | {"hysteresis": 5}}, format="json", headers=match(made)
    )
    assert (bad.status_code, bad.json()["errors"][0]["pointer"]) == (422, "/hysteresis")
    kept = client.patch(f"{DEFINITIONS}/2", {"body": body}, format="json", headers=match(made))
    assert kept.json()["body"]["half_life_days"] == 10
    named = client.patch(f"{DEFINITIONS}/2", {"name": "BANT 2"}, format="json", headers=match(kept)).json()
    assert (named["name"], named["digest"]) == ("BANT 2", kept.json()["digest"])
    changes = client.get(f"{DEFINITIONS}/2/changes").json()["results"]
    assert {"changed", "added", "removed"} == {change["change"] for change in changes}
    assert client.get(f"{DEFINITIONS}/2/reach").json()["looked_at"] == 0
    past = client.post(f"{DEFINITIONS}/2/propose", {"effective_on": "2020-01-01"}, format="json")
    assert past.status_code == 422
    proposed = client.post(f"{DEFINITIONS}/2/propose", {"effective_on": "2026-05-04"}, format="json").json()
    sam.set_password("correct horse battery")
    sam.save(update_fields=["password"])
    signature = {"digest": proposed["digest"], "password": "correct horse battery"}
    assert_problem(
        client_for(rita).post(f"{DEFINITIONS}/2/sign", signature, format="json"), 403, "not_a_signer"
    )
    signed = client.post(f"{DEFINITIONS}/2/sign", signature, format="json").json()
    assert [(s["signer"]["name"], s["side"]) for s in signed["signatures"]] == [(sam.name, "sales")]
    assert (proposed["state"], proposed["body"]["effective_on"]) == ("proposed", "2026-05-04")
    assert_problem(
        client.post(f"{DEFINITIONS}/2/take-back", {}, format="json"), 409, "definition_not_editable"
    )
    said = client_for(rita).post(f"{DEFINITIONS}/2/comment", {"text": "Why?", "part": "fit"}, format="json")
    assert said.json()["author"]["name"] == "Rita Rep"
    assert [c["text"] for c in client.get(f"{DEFINITIONS}/2/comments").json()["results"]] == ["Why?"]
    assert client.delete(f"{DEFINITIONS}/2").status_code == 204


def match(answer: Any) -> dict[str, str]:
    return {"If-Match": answer["ETag"]}
