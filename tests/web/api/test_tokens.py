"""Tokens over the API: one's own, shown once, never by way of another token."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from smarketing.users.domain.roles import Role
from smarketing.users.models import ApiToken, IdempotentRequest, User
from tests.rest import assert_problem, client_for

pytestmark = pytest.mark.django_db
Person = Callable[..., User]


def page(user: User) -> APIClient:
    client = APIClient()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def test_a_signed_in_user_makes_a_token_that_works_until_it_is_revoked(person: Person) -> None:
    rita = person(Role.REP, "Rita Rep")
    made = page(rita).post("/api/v1/tokens", {"name": "script", "scopes": ["read"]}, format="json")
    assert made.status_code == 201
    secret = made.json()["secret"]
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    assert client.get("/api/v1/me").json()["name"] == "Rita Rep"
    assert secret not in page(rita).get("/api/v1/tokens").content.decode()
    assert page(rita).delete(f"/api/v1/tokens/{made.json()['token']['id']}").status_code == 204
    assert_problem(client.get("/api/v1/me"), 401, "bad_token")


def test_a_token_makes_no_token(person: Person) -> None:
    client = client_for(person())
    response = client.post("/api/v1/tokens", {"name": "x", "scopes": ["read"]}, format="json")
    assert_problem(response, 403, "session_needed")
    assert ApiToken.objects.count() == 1


def test_an_answer_with_a_secret_is_not_kept_for_a_replay(person: Person) -> None:
    response = page(person()).post(
        "/api/v1/tokens", {"name": "x", "scopes": ["read"]}, format="json", HTTP_IDEMPOTENCY_KEY="k"
    )
    assert_problem(response, 400, "bad_parameter")
    assert (ApiToken.objects.count(), IdempotentRequest.objects.count()) == (0, 0)


def test_foreign_and_absent_tokens_look_the_same_to_a_rep(person: Person) -> None:
    ada, rita = person(), person(Role.REP, "Rita Rep")
    client_for(ada)
    foreign = ApiToken.objects.get()
    client = client_for(rita)
    bodies = []
    for pk in (foreign.pk, 999_999):
        for response in (client.get(f"/api/v1/tokens/{pk}"), client.delete(f"/api/v1/tokens/{pk}")):
            body = assert_problem(response, 404, "not_found")
            bodies.append({**body, "instance": ""})
    assert all(body == bodies[0] for body in bodies)
    foreign.refresh_from_db()
    assert foreign.revoked_at is None
    assert len(client.get("/api/v1/tokens").json()["results"]) == 1
    assert len(client_for(ada).get("/api/v1/tokens").json()["results"]) == 3
