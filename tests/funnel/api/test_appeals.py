"""Appeals over the API."""

from __future__ import annotations

from datetime import timedelta

import pytest

from funnel.models import Appeal, Handoff
from funnel.services import handoffs
from smarketing.core import clock
from tests.rest import assert_problem, client_for

pytestmark = pytest.mark.django_db
APPEALS = "/api/v1/appeals"


@pytest.fixture
def returned(rita, lead, qualify) -> Handoff:
    qualify(lead)
    handoff = Handoff.objects.get(lead=lead)
    now = clock.now() - timedelta(hours=1)
    return handoffs.return_(handoff=handoff, reason="no_need", actor=rita, now=now)


def test_a_return_is_contested_found_and_overturned(returned, mara, sam, rob):
    made = client_for(mara).post(APPEALS, {"handoff": returned.pk, "evidence": "They asked."}, format="json")
    assert made.status_code == 201
    told = made.json()
    assert (told["arbiter"]["id"], told["ruling"], told["return_reason"]) == (sam.pk, "", "no_need")
    assert client_for(rob).get(f"{APPEALS}?ruling=waiting").json()["results"] == [told]
    body = {"ruling": "overturned", "note": "Call them."}
    ruled = client_for(sam).post(f"{APPEALS}/{told['id']}/rule", body, format="json")
    assert (ruled.status_code, ruled.json()["ruling"], ruled.json()["ruled_by"]["id"]) == (
        200,
        "overturned",
        sam.pk,
    )
    assert client_for(mara).get(f"/api/v1/handoffs/{returned.pk}").json()["state"] == "overturned"
    assert client_for(rob).get(f"{APPEALS}?ruling=waiting").json()["results"] == []
    again = client_for(sam).post(f"{APPEALS}/{told['id']}/rule", body, format="json")
    assert_problem(again, 409, "already_ruled")


def test_who_may_what_and_bad_input_writes_nothing(returned, rita, mara, sam, olga):
    body = {"handoff": returned.pk, "evidence": "They asked."}
    for who in (rita, sam, olga):
        assert_problem(client_for(who).post(APPEALS, body, format="json"), 403, "denied")
    for wrong, pointer in (({"evidence": ""}, "/evidence"), ({"handoff": 10**12}, "/handoff")):
        answer = client_for(mara).post(APPEALS, {**body, **wrong}, format="json")
        assert [e["pointer"] for e in answer.json()["errors"]] == [pointer]
    assert not Appeal.objects.exists()
    appeal = client_for(mara).post(APPEALS, body, format="json").json()["id"]
    assert_problem(client_for(mara).post(APPEALS, body, format="json"), 409, "no_appeal")
    rule = f"{APPEALS}/{appeal}/rule"
    assert_problem(
        client_for(mara).post(rule, {"ruling": "upheld", "note": "x"}, format="json"), 403, "denied"
    )
    answer = client_for(sam).post(rule, {"ruling": "maybe", "note": "x"}, format="json")
    assert [e["pointer"] for e in answer.json()["errors"]] == ["/ruling"]
    assert Appeal.objects.get().ruling == ""
