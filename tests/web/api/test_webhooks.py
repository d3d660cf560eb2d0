"""Webhook receivers, deliveries, notifications and the audit trail over the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from smarketing.core import clock
from smarketing.notifications.models import Delivery, Endpoint, Notification
from smarketing.notifications.services import outbox
from smarketing.users.domain.roles import CAPABILITIES, Capability, Role
from smarketing.users.models import User
from tests.rest import assert_problem, client_for

pytestmark = pytest.mark.django_db
Person = Callable[..., User]
HOOK = {"name": "Hook", "url": "https://hooks.example.com/in", "topics": ["opportunity.*"]}


def test_the_secret_is_told_once(person: Person) -> None:
    client = client_for(person())
    made = client.post("/api/v1/webhooks", HOOK, format="json")
    assert made.status_code == 201
    secret, path = made.json()["secret"], made["Location"]
    turned = client.post(f"{path}/turn-secret").json()["secret"]
    assert secret.startswith("whsec_")
    assert turned != secret
    stored = Endpoint.objects.get()
    seen = [client.get(p).content.decode() for p in (path, "/api/v1/webhooks", "/api/v1/audit-entries")]
    for text in seen:
        assert not [s for s in (secret, turned, stored.secret, stored.former_secret) if s in text]
    assert seen[2].count("webhook_") == 2


@pytest.mark.parametrize("role", [r for r in Role if Capability.MANAGE_KEYS not in CAPABILITIES[r]])
def test_only_who_manages_keys_sees_webhooks(person: Person, role: Role) -> None:
    client_for(person()).post("/api/v1/webhooks", HOOK, format="json")
    pk = Endpoint.objects.get().pk
    client = client_for(person(role, "Rita Rep"))
    for response in (
        client.get("/api/v1/webhooks"),
        client.get(f"/api/v1/webhooks/{pk}"),
        client.post("/api/v1/webhooks", HOOK, format="json"),
        client.post(f"/api/v1/webhooks/{pk}/turn-secret"),
        client.delete(f"/api/v1/webhooks/{pk}"),
        client.get("/api/v1/webhook-deliveries"),
    ):
        assert_problem(response, 403, "denied")
    assert Endpoint.objects.count() == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "file:///etc/passwd",
        "https://a:b@c/",
    ],
)
def test_addresses_inside_are_refused(person: Person, url: str) -> None:
    client = client_for(person())
    assert_problem(
        client.post("/api/v1/webhooks", {**HOOK, "url": url}, format="json"), 422, "address_refused"
    )
    assert Endpoint.objects.count() == 0


def test_an_edit_needs_the_version_and_a_delete_is_204(person: Person) -> None:
    client = client_for(person())
    path = client.post("/api/v1/webhooks", HOOK, format="json")["Location"]
    assert_problem(client.patch(path, {"enabled": False}, format="json"), 428, "precondition_required")
    edited = client.patch(path, {"enabled": False}, format="json", HTTP_IF_MATCH='"1"')
    assert (edited.json()["enabled"], edited["ETag"]) == (False, '"2"')
    assert client.delete(path).status_code == 204
    assert_problem(client.get(path), 404, "not_found")


def test_deliveries_can_be_listed_and_replayed(person: Person) -> None:
    client = client_for(person())
    client.post("/api/v1/webhooks", HOOK, format="json")
    now = clock.now()
    outbox.put(topic="opportunity.won", payload={}, dedupe_key="k", now=now)
    outbox.fan_out(now=now, limit=10)
    (row,) = client.get("/api/v1/webhook-deliveries?state=pending").json()["results"]
    assert row["topic"] == "opportunity.won"
    assert_problem(client.post(f"/api/v1/webhook-deliveries/{row['id']}/replay"), 409, "conflict")
    Delivery.objects.update(state="failed", finished_at=now, attempts=10)
    again = client.post(f"/api/v1/webhook-deliveries/{row['id']}/replay").json()
    assert (again["state"], again["attempts"], again["msg_id"]) == ("pending", 0, row["msg_id"])


def test_notifications_are_ones_own(person: Person) -> None:
    ada, rita = person(), person(Role.REP, "Rita Rep")
    now = clock.now()
    outbox.put(
        topic="t", payload={}, dedupe_key="k", now=now, notify=outbox.Notice(text="Hi", user_ids=(ada.pk,))
    )
    outbox.fan_out(now=now, limit=10)
    mine, others = client_for(ada), client_for(rita)
    (row,) = mine.get("/api/v1/notifications?unread=true").json()["results"]
    assert others.get("/api/v1/notifications").json()["results"] == []
    assert_problem(others.get(f"/api/v1/notifications/{row['id']}"), 404, "not_found")
    assert others.post("/api/v1/notifications/read", {"ids": [row["id"]]}, format="json").json() == {
        "marked": 0
    }
    assert Notification.objects.get().read_at is None
    assert mine.post("/api/v1/notifications/read", {}, format="json").json() == {"marked": 1}
    assert mine.get("/api/v1/notifications?unread=true").json()["results"] == []


def test_the_audit_trail_is_read_only(person: Person, settings: Any) -> None:
    client = client_for(person())
    client.post("/api/v1/teams", {"name": "Inside", "side": "sales"}, format="json")
    (row,) = client.get("/api/v1/audit-entries?action=team_added").json()["results"]
    assert row["after"] == {"name": "Inside", "side": "sales"}
    assert row["request_id"]
    for method in ("post", "put", "patch", "delete"):
        assert getattr(client, method)(f"/api/v1/audit-entries/{row['id']}").status_code == 405
    assert_problem(client_for(person(Role.REP, "Rita")).get("/api/v1/audit-entries"), 403, "denied")
