"""Alerts over the API: one's own only."""

from __future__ import annotations

from datetime import timedelta

import pytest

from funnel.models import Alert
from tests.funnel.conftest import NOW, record
from tests.rest import assert_problem, client_for

pytestmark = pytest.mark.django_db
ALERTS = "/api/v1/alerts"


def test_an_alert_is_made_read_changed_snoozed_and_stopped(rita, lead):
    client = client_for(rita)
    made = client.post(
        ALERTS, {"person": lead.person_id, "trigger": "page", "pattern": "/Pricing/"}, format="json"
    )
    assert made.status_code == 201, made.content
    body = made.json()
    assert (body["subject"], body["person"], body["pattern"], body["told"]) == (
        "person", lead.person_id, "/pricing", 0,
    )  # fmt: skip
    assert body["sentence"] == f"{lead.person.name} visits /pricing"
    address = f"{ALERTS}/{body['id']}"
    changed = client.patch(address, {"delivery": "mail"}, format="json", HTTP_IF_MATCH=made["ETag"])
    assert (changed.status_code, changed.json()["delivery"]) == (200, "mail")
    snoozed = client.post(f"{address}/snooze", {"until": "2026-03-09T10:00:00Z"}, format="json").json()
    assert snoozed["snoozed_until"] == "2026-03-09T10:00:00Z"
    assert_problem(
        client.post(f"{address}/snooze", {"until": "2020-01-01T00:00:00Z"}, format="json"), 422, "bad_alert"
    )
    assert client.post(f"{address}/stop", {}, format="json").json()["stopped_at"]
    assert client.post(f"{address}/resume", {}, format="json").json()["stopped_at"] is None


def test_hits_are_listed_with_what_came_of_them(rita, rob, lead):
    client = client_for(rita)
    made = client.post(
        ALERTS, {"person": lead.person_id, "trigger": "form", "name": "Contact"}, format="json"
    ).json()
    record(lead, "form", "Contact", at=NOW + timedelta(minutes=1))
    (row,) = client.get(f"{ALERTS}/{made['id']}/hits").json()["results"]
    assert (row["person"], row["what"], row["contacted_at"]) == (lead.person_id, "Contact", None)
    (alert,) = client.get(ALERTS).json()["results"]
    assert (alert["told"], alert["contacted"], alert["median_contact_seconds"]) == (1, 0, None)
    assert client_for(rob).get(ALERTS).json()["results"] == []
    assert_problem(client_for(rob).get(f"{ALERTS}/{made['id']}"), 404, "not_found")
    assert_problem(client_for(rob).get(f"{ALERTS}/{made['id']}/hits"), 404, "not_found")


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"trigger": "page", "pattern": "/x"}, "subject"),
        ({"mine": True, "trigger": "page"}, "pattern"),
        ({"mine": True, "stage": "lead", "trigger": "form"}, "subject"),
        ({"mine": True, "trigger": "form", "conditions": [{"property": "a b.c d.", "operator": "known"}]},
         "conditions.0.property"),
    ],
)  # fmt: skip
def test_a_wish_that_cannot_be_kept_names_its_field(rita, wish, field):
    problem = assert_problem(client_for(rita).post(ALERTS, wish, format="json"), 422, "bad_alert")
    assert [e["pointer"] for e in problem["errors"]] == [f"/{field.replace('.', '/')}"]
    assert not Alert.objects.exists()
