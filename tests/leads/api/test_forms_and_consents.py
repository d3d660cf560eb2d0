"""Forms, their answers and consents over REST."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.test import Client

from leads.models import ConsentEntry, Form, FormSubmission, Lead, Source
from leads.services import leads
from leads.services.people import PersonInput
from smarketing.core import clock
from smarketing.users.models import User
from tests.leads.forms import BROWSER, FIELDS, GIVEN, published
from tests.rest import assert_problem, client_for

pytestmark = pytest.mark.django_db
API = "/api/v1"


@pytest.fixture
def ada(web: Source, now: datetime) -> Lead:
    return leads.capture(
        source=web,
        person=PersonInput(first_name="Ada", emails=["ada@example.com"]),
        captured_at=now,
        actor=None,
        now=now,
    ).lead


def test_consent_is_recorded_and_asked_for(ada: Lead, rita: User, olga: User) -> None:
    body = {
        "person": ada.person_id, "purpose": "newsletter", "state": "granted", "text": "Yes.",
        "source": "fair", "occurred_at": "2026-03-02T09:00:00Z",
    }  # fmt: skip
    client = client_for(rita)
    assert_problem(client_for(olga).post(f"{API}/consents", body, format="json"), 403, "denied")
    ask = {"person": ada.person_id, "purpose": "newsletter"}
    no = client.post(f"{API}/consents/may-contact", ask, format="json")
    assert no.json() == {"allowed": False, "reason": "They never gave their consent."}
    made = client.post(f"{API}/consents", body, format="json")
    assert made.status_code == 201, made.content
    assert {k: made.json()[k] for k in ("purpose", "channel", "state", "text", "text_version", "source")} == {
        "purpose": "newsletter", "channel": "email", "state": "granted", "text": "Yes.", "text_version": 1,
        "source": "fair",
    }  # fmt: skip
    assert client.post(f"{API}/consents/may-contact", ask, format="json").json() == {
        "allowed": True,
        "reason": "",
    }
    assert_problem(
        client.post(f"{API}/consents/may-contact", {"person": ada.person_id}, format="json"), 422, "invalid"
    )
    listed = client.get(f"{API}/consents?person={ada.person_id}&ordering=-occurred_at").json()["results"]
    assert [row["id"] for row in listed] == [made.json()["id"]]
    assert "newsletter" in [p["code"] for p in client.get(f"{API}/consent-purposes").json()["results"]]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"purpose": "nothing"}, "/purpose"),
        ({"state": "maybe"}, "/state"),
        ({"occurred_at": "2026-03-02T09:00:00"}, "/occurred_at"),
        ({"person": 999_999}, "/person"),
        ({"purpose": None}, "/purpose"),
        ({"extra": 1}, "/extra"),
    ],
)
def test_a_bad_consent_is_refused_by_name(ada: Lead, rita: User, change: dict, pointer: str) -> None:
    body = {
        "person": ada.person_id, "purpose": "newsletter", "state": "granted", "source": "x",
        "occurred_at": "2026-03-02T09:00:00Z", **change,
    }  # fmt: skip
    answer = client_for(rita).post(f"{API}/consents", body, format="json")
    assert answer.status_code == 422, answer.content
    assert pointer in [e["pointer"] for e in answer.json()["errors"]]
    assert not ConsentEntry.objects.exists()


def test_a_form_is_made_published_and_edited(mara: User, rita: User) -> None:
    client = client_for(mara)
    layout = {"title": "Guide", "fields": FIELDS}
    assert_problem(client_for(rita).post(f"{API}/forms", {"name": "G"}, format="json"), 403, "denied")
    made = client.post(
        f"{API}/forms", {"name": "G", "sites": ["https://a.example"], "layout": layout}, format="json"
    )
    assert made.status_code == 201, made.content
    body = made.json()
    assert (body["published_version"], body["draft"]["title"], body["published"]) == (None, "Guide", None)
    address = f"{API}/forms/{body['id']}"
    live = client.post(f"{address}/publish", {}, format="json")
    assert (live.status_code, live.json()["published_version"]) == (200, 1)
    assert Client(**BROWSER).get(f"/f/{body['key']}/").status_code == 200
    assert_problem(client.post(f"{address}/publish", {}, format="json"), 409, "nothing_to_publish")
    version = client.get(address)["ETag"]
    bad = {"layout": {"title": "", "fields": [{"name": "x", "target": "person.nothing"}]}}
    assert client.patch(address, bad, format="json", headers={"If-Match": version}).status_code == 200
    refused = assert_problem(client.post(f"{address}/publish", {}, format="json"), 422, "bad_form")
    assert {e["pointer"] for e in refused["errors"]} == {
        "/title",
        "/fields/0/target",
        "/fields/0/label",
        "/fields",
    }
    wrong = client.patch(address, {"sites": ["no address"]}, format="json", headers={"If-Match": "*"})
    assert_problem(wrong, 422, "bad_form")
    assert Form.objects.get().sites == ["https://a.example"]


def test_answers_are_read_and_decided(mara: User, rita: User) -> None:
    form = published(clock.now())
    Client(**BROWSER).post(f"/f/{form.key}/", {**GIVEN, "_trap": "x"})
    pk = FormSubmission.objects.get().pk
    client = client_for(mara)
    row = client.get(f"{API}/submissions/{pk}").json()
    assert (row["state"], row["reason"], row["fields_sent"]["last"]) == ("quarantined", "trap", ["Lovelace"])
    assert_problem(client_for(rita).post(f"{API}/submissions/{pk}/release", {}, format="json"), 403, "denied")
    assert client.post(f"{API}/submissions/{pk}/discard", {}, format="json").json()["state"] == "discarded"
    assert client.post(f"{API}/submissions/{pk}/restore", {}, format="json").json()["state"] == "quarantined"
    released = client.post(f"{API}/submissions/{pk}/release", {}, format="json").json()
    assert (released["state"], released["lead"]) == ("applied", Lead.objects.get().pk)
    assert_problem(client.post(f"{API}/submissions/{pk}/release", {}, format="json"), 409, "already_decided")
    listed = client.get(f"{API}/submissions?state=applied&form={form.pk}").json()["results"]
    assert [r["id"] for r in listed] == [pk]
    assert client.get(f"{API}/forms").json()["results"][0]["became_leads"] == 1
