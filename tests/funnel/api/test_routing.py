"""Routing over the API: rules, pools, places, absences, a dry run, and the record of why."""

from __future__ import annotations

import pytest

from funnel.models import Absence, Pool, PoolMember, RoutingRule, Turn
from tests.rest import assert_problem, client_for

pytestmark = pytest.mark.django_db
API = "/api/v1"


def test_everything_of_routing_is_set_up_over_the_api(sam, rita, rob, lead):
    boss = client_for(sam)
    made = boss.post(f"{API}/pools", {"name": "Key accounts", "return_policy": "accrue"}, format="json")
    assert made.status_code == 201
    pool = made.json()
    assert (pool["places"], pool["overflow"], pool["is_default"]) == ([], "", False)
    place = {"user": rita.pk, "weight": 2, "skills": ["German"]}
    told = boss.post(f"{API}/pools/{pool['id']}/place", place, format="json").json()
    assert [(p["user"]["id"], p["weight"], p["skills"], p["takes_leads"]) for p in told["places"]] == [
        (rita.pk, 2, ["german"], True)
    ]
    body = {
        "name": "Initech",
        "pool": pool["id"],
        "conditions": [{"path": "company.name", "operator": "equals", "value": "Initech"}],
    }
    rule = boss.post(f"{API}/routing-rules", body, format="json").json()
    assert rule["sentences"] == ["the company's name is “Initech”"]
    other = boss.post(f"{API}/routing-rules", {**body, "name": "Rest"}, format="json").json()
    boss.post(f"{API}/routing-rules/{other['id']}/move", {"earlier": True}, format="json")
    assert [r["name"] for r in boss.get(f"{API}/routing-rules").json()["results"]] == ["Rest", "Initech"]
    tried = boss.post(f"{API}/routing-rules/try", {"lead": lead.pk}, format="json").json()
    assert (tried["owner"], tried["rule"], tried["pool"], tried["candidates_in_all"]) == (
        rita.pk,
        other["id"],
        pool["id"],
        1,
    )
    facts = {"facts": {"company": {"name": "Umbrella"}}, "band": "A1"}
    tried = client_for(rita).post(f"{API}/routing-rules/try", facts, format="json").json()
    assert (tried["rule"], tried["band"], tried["candidates_in_all"]) == (None, "A1", 2)
    assert [c["user"] for c in tried["candidates"]] == [tried["owner"]] if tried["owner"] == rita.pk else 2
    assert Turn.objects.count() == 0
    patch = boss.patch(
        f"{API}/routing-rules/{other['id']}", {"is_active": False}, format="json", HTTP_IF_MATCH="*"
    )
    assert patch.json()["is_active"] is False
    assert_problem(boss.delete(f"{API}/pools/{pool['id']}"), 409, "pool_in_use")
    for gone in (rule, other):
        assert boss.delete(f"{API}/routing-rules/{gone['id']}").status_code == 204
    boss.post(f"{API}/pools/{pool['id']}/leave", {"user": rita.pk}, format="json")
    assert PoolMember.objects.count() == 0
    assert boss.delete(f"{API}/pools/{pool['id']}").status_code == 204


def test_absences_are_ones_own_and_everybodys_for_managers(sam, rita, rob, mara):
    hers = client_for(rita)
    body = {"starts_at": "2026-03-02T10:00:00Z", "ends_at": None, "note": "dentist"}
    made = hers.post(f"{API}/absences", body, format="json")
    assert (made.status_code, made.json()["user"]["id"]) == (201, rita.pk)
    his = {**body, "user": rob.pk}
    assert_problem(hers.post(f"{API}/absences", his, format="json"), 403, "absence_not_allowed")
    assert_problem(client_for(mara).post(f"{API}/absences", body, format="json"), 403, "absence_not_allowed")
    assert client_for(sam).post(f"{API}/absences", his, format="json").status_code == 201
    assert len(hers.get(f"{API}/absences").json()["results"]) == 1
    assert len(client_for(sam).get(f"{API}/absences?user={rob.pk}").json()["results"]) == 1
    foreign = Absence.objects.get(user=rob)
    assert hers.get(f"{API}/absences/{foreign.pk}").status_code == 404
    own = f"{API}/absences/{made.json()['id']}"
    early = {"ends_at": "2026-03-02T09:00:00Z"}
    refused = hers.patch(own, early, format="json", HTTP_IF_MATCH="*")
    assert_problem(refused, 422, "bad_absence")
    ended = hers.patch(own, {"ends_at": "2026-03-03T09:00:00Z"}, format="json", HTTP_IF_MATCH=made["ETag"])
    assert (ended.status_code, ended.json()["note"]) == (200, "dentist")
    assert hers.delete(own).status_code == 204


def test_the_record_of_why_hides_other_candidates_from_reps(sam, rita, rob, waiting):
    found = client_for(sam).get(f"{API}/routing-decisions?handoff={waiting.pk}").json()["results"]
    assert [(d["owner"]["id"], d["reason"], len(d["candidates"])) for d in found] == [
        (waiting.owner_id, "tie_by_order" if len(found[0]["candidates"]) > 1 else "only_eligible",
         found[0]["candidates_in_all"])
    ]  # fmt: skip
    everybody = {c["user"] for c in found[0]["candidates"]}
    reader = rita if waiting.owner_id == rita.pk else rob
    told = client_for(reader).get(f"{API}/routing-decisions/{found[0]['id']}").json()
    assert [c["user"] for c in told["candidates"]] == [reader.pk]
    assert told["candidates_in_all"] == len(everybody)
    packet = client_for(reader).get(f"{API}/handoffs/{waiting.pk}").json()["packet"]
    assert [c["key"] for c in packet["routing"]["candidates"]] == [reader.pk]


@pytest.mark.parametrize(
    ("address", "body", "pointer"),
    [
        ("routing-rules", {"name": "X"}, "/pool"),
        ("routing-rules", {"name": "X", "pool": 10**9}, "/pool"),
        ("routing-rules", {"name": "X", "pool": 0, "position": 3}, "/position"),
        ("routing-rules/try", {"lead": 10**9}, "/lead"),
        ("routing-rules/try", {"band": "Z9"}, "/band"),
        ("pools", {"name": ""}, "/name"),
        ("pools", {"name": "X", "overflow": "pool"}, "/overflow_pool"),
        ("pools", {"name": "X", "hold_minutes": 0}, "/hold_minutes"),
        ("absences", {"starts_at": "tomorrow"}, "/starts_at"),
    ],
)
def test_bad_input_points_at_its_member_and_writes_nothing(sam, address, body, pointer):
    answer = client_for(sam).post(f"{API}/{address}", body, format="json")
    assert answer.status_code == 422
    assert pointer in [e["pointer"] for e in answer.json()["errors"]]
    assert (Pool.objects.count(), RoutingRule.objects.count(), Absence.objects.count()) == (1, 0, 0)


def test_only_who_may_change_owners_sets_routing_up(rita, mara, olga):
    for reader in (rita, mara, olga):
        client = client_for(reader)
        assert client.get(f"{API}/pools").status_code == 200
        assert_problem(client.post(f"{API}/pools", {"name": "X"}, format="json"), 403, "denied")
    assert Pool.objects.count() == 1
