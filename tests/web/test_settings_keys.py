"""The pages of tokens, webhooks and the audit trail: secrets are shown once, others change nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from smarketing.audit.models import AuditEntry
from smarketing.core import clock
from smarketing.notifications.models import Delivery, Endpoint, Outbox
from smarketing.notifications.services import endpoints
from smarketing.users.domain.roles import CAPABILITIES, Capability, Role
from smarketing.users.models import ApiToken, User
from smarketing.users.services import tokens
from tests.web.conftest import HTMX, SignIn

pytestmark = pytest.mark.django_db
KEEPERS = [role for role in Role if Capability.MANAGE_KEYS in CAPABILITIES[role]]
OTHERS = [role for role in Role if role not in KEEPERS]
HOOK = {"name": "CRM", "url": "https://hooks.example.com/in", "topics": "handoff.*, opportunity.won"}


def text_of(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


def endpoint_of(admin: User) -> endpoints.IssuedSecret:
    return endpoints.create(
        name="Hook", url="https://hooks.example.com/in", topics=["*"], actor=admin, now=clock.now()
    )


def delivery_of(endpoint: Endpoint, state: str) -> Delivery:
    row = Outbox.objects.create(topic="handoff.delivered", dedupe_key=f"k{state}", created_at=clock.now())
    return Delivery.objects.create(
        outbox=row, channel=endpoint.pk, endpoint=endpoint, msg_id=f"msg_{state}", state=state,
        attempts=3, not_before=clock.now(), last_status=500, last_error="HTTP 500",
    )  # fmt: skip


def test_a_token_is_shown_once_works_and_is_never_shown_again(signed_in: SignIn) -> None:
    client = signed_in(Role.REP)
    data = {"name": "Script", "scopes": ["read"], "days": "30"}
    answer = client.post("/settings/tokens/new/", data, headers=HTMX)
    found = re.search(r'value="(sm_[^"]+)"', answer.content.decode())
    assert found
    assert (answer.status_code, answer["Cache-Control"], answer["HX-Trigger"]) == (
        200, "no-store", "record-changed",
    )  # fmt: skip
    secret, token = found[1], ApiToken.objects.get()
    assert (token.user.role, token.scopes) == ("rep", ["read"])
    assert token.expires_at is not None
    assert timedelta(days=29) < token.expires_at - clock.now() <= timedelta(days=30)
    assert Client().get("/api/v1/me", headers={"Authorization": f"Bearer {secret}"}).status_code == 200
    for path in ("/settings/tokens/", "/settings/tokens/new/", "/settings/"):
        assert secret not in text_of(client, path)
    assert secret not in text_of(signed_in(Role.ADMIN, name="Adam Min"), "/settings/audit/")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.after["name"], secret in str(entry.after)) == (
        "token_issued",
        "Script",
        False,
    )


def test_a_token_needs_a_name_and_a_scope(signed_in: SignIn) -> None:
    client = signed_in(Role.REP)
    for data in ({"scopes": ["read"]}, {"name": "x"}, {"name": "x", "scopes": ["all"]}, {"days": "7"}):
        assert client.post("/settings/tokens/new/", data, headers=HTMX).status_code == 422
    assert not ApiToken.objects.exists()


def test_a_revoked_token_is_refused_at_once(signed_in: SignIn, person: Callable[..., User]) -> None:
    rita = person(Role.REP, "Rita Rep")
    issued = tokens.issue(user=rita, name="x", scopes=["read"], expires_at=None, actor=rita, now=clock.now())
    headers = {"Authorization": f"Bearer {issued.secret}"}
    others = signed_in(Role.MARKETING_MANAGER)
    assert "Rita Rep" not in text_of(others, "/settings/tokens/")
    assert others.post(f"/settings/tokens/{issued.token.pk}/revoke/").status_code == 404
    assert Client().get("/api/v1/me", headers=headers).status_code == 200
    admin = signed_in(Role.ADMIN, name="Adam Min")
    assert "Rita Rep" in text_of(admin, "/settings/tokens/?state=live")
    admin.post(f"/settings/tokens/{issued.token.pk}/revoke/")
    assert Client().get("/api/v1/me", headers=headers).status_code == 401
    assert "Rita Rep" not in text_of(admin, "/settings/tokens/?state=live")
    assert "Revoked" in text_of(admin, "/settings/tokens/?state=ended&q=rita")


@pytest.mark.parametrize("role", OTHERS)
def test_who_does_not_manage_keys_sees_and_changes_no_webhook(
    role: Role, signed_in: SignIn, person: Callable[..., User]
) -> None:
    endpoint = endpoint_of(person(Role.ADMIN, "Adam Min")).endpoint
    sent, client = delivery_of(endpoint, "failed"), signed_in(role)
    before = Endpoint.objects.values().get()
    for path, data in (
        ("webhooks/new/", HOOK),
        (f"webhooks/{endpoint.pk}/edit/", HOOK),
        (f"webhooks/{endpoint.pk}/switch/", {"on": "0"}),
        (f"webhooks/{endpoint.pk}/secret/", {}),
        (f"webhooks/{endpoint.pk}/delete/", {}),
        (f"webhooks/{endpoint.pk}/recover/", {"since": "2026-03-04T10:00"}),
        (f"deliveries/{sent.pk}/replay/", {}),
    ):
        assert client.post(f"/settings/{path}", data).status_code == 403, path
    assert client.get(f"/settings/webhooks/{endpoint.pk}/").status_code == 403
    assert Endpoint.objects.values().get() == before
    sent.refresh_from_db()
    assert (sent.state, sent.attempts) == ("failed", 3)
    assert "Webhooks" not in text_of(client, "/settings/")


def test_a_webhook_is_added_and_its_secret_shown_once(signed_in: SignIn) -> None:
    client = signed_in(Role.ADMIN)
    first = client.post("/settings/webhooks/new/", HOOK).content.decode()
    found = re.search(r'value="(whsec_[^"]+)"', first)
    assert found
    hook = Endpoint.objects.get()
    assert (hook.name, hook.topics, hook.enabled) == ("CRM", ["handoff.*", "opportunity.won"], True)
    second = client.post(f"/settings/webhooks/{hook.pk}/secret/", {}, headers=HTMX).content.decode()
    turned = re.search(r'value="(whsec_[^"]+)"', second)
    assert turned
    assert turned[1] != found[1]
    for path in ("", f"{hook.pk}/", f"{hook.pk}/edit/", f"{hook.pk}/secret/", "../audit/"):
        text = text_of(client, f"/settings/webhooks/{path}".replace("webhooks/../", ""))
        assert "whsec_" not in text, path
    assert "signs along until" in text_of(client, f"/settings/webhooks/{hook.pk}/")


def test_an_address_inside_our_network_or_a_strange_topic_is_refused(signed_in: SignIn) -> None:
    client = signed_in(Role.ADMIN)
    for change in (
        {"url": "http://169.254.169.254/"},
        {"url": "ftp://x"},
        {"topics": "DROP TABLE"},
        {"name": ""},
    ):
        assert client.post("/settings/webhooks/new/", {**HOOK, **change}, headers=HTMX).status_code == 422, (
            change
        )
    assert not Endpoint.objects.exists()


def test_a_webhook_is_switched_off_and_on_changed_and_deleted(
    signed_in: SignIn, person: Callable[..., User]
) -> None:
    hook, client = endpoint_of(person(Role.ADMIN, "Adam Min")).endpoint, signed_in(Role.ADMIN)
    client.post(f"/settings/webhooks/{hook.pk}/switch/", {"on": "0"})
    hook.refresh_from_db()
    assert (hook.enabled, hook.disabled_reason) == (False, "switched off by hand")
    client.post(f"/settings/webhooks/{hook.pk}/switch/", {"on": "1"})
    client.post(f"/settings/webhooks/{hook.pk}/edit/", {**HOOK, "topics": "*"})
    hook.refresh_from_db()
    assert (hook.enabled, hook.name, hook.topics) == (True, "CRM", ["*"])
    assert (
        "Delete “CRM”?" in client.get(f"/settings/webhooks/{hook.pk}/delete/", headers=HTMX).content.decode()
    )
    client.post(f"/settings/webhooks/{hook.pk}/delete/")
    assert not Endpoint.objects.exists()


def test_a_finished_delivery_is_sent_again_but_not_one_on_its_way(
    signed_in: SignIn, person: Callable[..., User]
) -> None:
    hook, client = endpoint_of(person(Role.ADMIN, "Adam Min")).endpoint, signed_in(Role.ADMIN)
    failed, pending = delivery_of(hook, "failed"), delivery_of(hook, "pending")
    page = text_of(client, f"/settings/webhooks/{hook.pk}/")
    assert (page.count("/replay/"), "HTTP 500" in page) == (1, True)
    assert "msg_pending" not in text_of(client, f"/settings/webhooks/{hook.pk}/?state=failed")
    client.post(f"/settings/deliveries/{failed.pk}/replay/")
    failed.refresh_from_db()
    assert (failed.state, failed.attempts) == ("pending", 0)
    assert client.post(f"/settings/deliveries/{pending.pk}/replay/").status_code == 409
    pending.refresh_from_db()
    assert pending.attempts == 3


def test_the_audit_trail_shows_before_and_after_and_is_narrowed(
    signed_in: SignIn, person: Callable[..., User]
) -> None:
    client, user = signed_in(Role.ADMIN), person(Role.REP, "Ann Lee")
    client.post(f"/settings/users/{user.pk}/role/", {"role": "marketer"})
    client.post("/settings/teams/new/", {"name": "North", "side": "sales"})
    page = text_of(client, "/settings/audit/")
    assert "Role changed" in page
    assert re.search(r"<del>.*?rep</del>\s*<ins>.*?marketer</ins>", page)
    sara, today = User.objects.get(role=Role.ADMIN), f"{clock.now():%Y-%m-%d}"

    def actions(query: str) -> list[str]:
        return re.findall(r'data-label="What">([^<]+)<', text_of(client, f"/settings/audit/?{query}"))

    assert actions("") == ["Team added", "Role changed"]
    assert actions("action=role") == ["Role changed"]
    assert actions(f"actor={user.pk}") == []
    assert actions(f"actor={sara.pk}&q=north") == ["Team added"]
    assert actions(f"at_after={today}&at_before={today}") == ["Team added", "Role changed"]
    assert actions("at_before=2020-01-01") == []
