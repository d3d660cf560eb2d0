"""Nurture over the API."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from funnel.models import LeadState, Nurture
from funnel.services import nurtures
from tests.funnel.conftest import NOW, capture_lead
from tests.rest import assert_problem, client_for

pytestmark = pytest.mark.django_db
NURTURES = "/api/v1/nurtures"


@pytest.fixture
def kept(lead, mara):
    """A lead that Mara keeps warm."""
    return nurtures.start(lead=lead, reason="Budget comes in May", actor=mara, now=NOW)


def test_one_is_begun_found_changed_and_brought_back(lead, mara, rita):
    body = {"lead": lead.pk, "reason": "Budget comes in May", "owner": mara.pk, "gain_points": 40}
    made = client_for(mara).post(NURTURES, body, format="json")
    assert made.status_code == 201, made.content
    told = made.json()
    assert (told["id"], told["state"], told["is_held"], told["cause"]) == (lead.pk, "active", True, "manual")
    assert (told["owner"], told["gain_points"], told["due_at"]) == (mara.pk, 40, None)
    assert client_for(rita).get(f"{NURTURES}?owner={mara.pk}").json()["results"] == [told]
    one = client_for(mara).get(f"{NURTURES}/{lead.pk}")
    day = "2030-05-04T09:00:00Z"
    changed = client_for(mara).patch(
        f"{NURTURES}/{lead.pk}", {"returns_at": day, "gain_points": None}, format="json",
        headers={"If-Match": one["ETag"]},
    )  # fmt: skip
    assert (changed.json()["returns_at"], changed.json()["gain_points"]) == (day, None)
    back = client_for(mara).post(f"{NURTURES}/{lead.pk}/bring-back", {}, format="json")
    assert (back.status_code, back.json()["state"], back.json()["next_lead"]) == (200, "ended", None)
    assert LeadState.objects.get(lead=lead).stage.code == "lead"
    assert client_for(rita).get(f"{NURTURES}?state=active").json()["results"] == []


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"gain_points": 0}, "/gain_points"),
        ({"owner": 10**12}, "/owner"),
        ({"returns_at": "2020-01-01T00:00:00Z"}, "/returns_at"),
        ({"state": "ended"}, "/state"),
    ],
)
def test_bad_input_points_at_its_member_and_changes_nothing(kept, mara, body, pointer):
    tag = client_for(mara).get(f"{NURTURES}/{kept.pk}")["ETag"]
    answer = client_for(mara).patch(f"{NURTURES}/{kept.pk}", body, format="json", headers={"If-Match": tag})
    assert [e["pointer"] for e in answer.json()["errors"]] == [pointer]
    assert Nurture.objects.get().version == kept.version


def test_who_may_what(kept, rita, olga, mara, max_):
    assert client_for(olga).get(f"{NURTURES}/{kept.pk}").status_code == 200
    assert client_for(olga).get(f"{NURTURES}/999999").status_code == 404
    assert_problem(
        client_for(rita).post(f"{NURTURES}/{kept.pk}/bring-back", {}, format="json"), 403, "denied"
    )
    rule = client_for(rita).get(f"{NURTURES}/rule").json()
    assert rule == {"settle_days": 7, "gain_points": 25, "return_days": 90, "version": 1}
    body = {"gain_points": 30, "expected": 1}
    assert_problem(client_for(mara).post(f"{NURTURES}/set-rule", body, format="json"), 403, "denied")
    assert client_for(max_).post(f"{NURTURES}/set-rule", body, format="json").json()["gain_points"] == 30
    assert client_for(max_).post(f"{NURTURES}/set-rule", body, format="json").status_code == 409
    assert Nurture.objects.get().state == "active"


def test_the_list_reads_the_same_number_of_times(web, mara):
    counts, client = [], client_for(mara)
    client.get(NURTURES)
    for _ in range(2):
        for number in range(3):
            lead = capture_lead(web, at=NOW + timedelta(minutes=number))
            nurtures.start(lead=lead, reason="Later", actor=mara, now=NOW + timedelta(hours=1))
        with CaptureQueriesContext(connection) as seen:
            client.get(NURTURES)
        counts.append(len(seen))
    assert counts[0] == counts[1]
