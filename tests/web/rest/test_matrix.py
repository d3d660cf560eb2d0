"""Every address of the API × every role: what is denied changed nothing, what is shown has no secret.

The tables fill themselves from the router, so a new resource is covered the day it is registered.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from smarketing import api
from smarketing.core import clock
from smarketing.notifications.services import endpoints
from smarketing.users.domain.roles import Capability, Role, may
from smarketing.users.models import User
from smarketing.web.rest.views import Resource
from tests.rest import assert_problem, client_for

METHODS = {"list": "get", "retrieve": "get", "create": "post", "partial_update": "patch", "destroy": "delete"}
ABSENT = 10**12
ROWS = """
SELECT md5(string_agg((to_jsonb(t) - 'last_used_at')::text, ',' ORDER BY to_jsonb(t)::text)) FROM {table} t
"""


def operations() -> list[tuple[str, str, Any, str]]:
    """(method, path, viewset, action) of everything registered."""
    found = []
    for prefix, viewset, _basename in api.router.registry:
        base = "/api/v1/" + re.sub(r"\(\?P<\w+>[^)]*\)", str(ABSENT), prefix)
        for action, method in METHODS.items():
            if hasattr(viewset, action):
                path = base if action in ("list", "create") else f"{base}/{ABSENT}"
                found.append((method, path, viewset, action))
        for extra in viewset.get_extra_actions():
            path = f"{base}/{ABSENT}/{extra.url_path}" if extra.detail else f"{base}/{extra.url_path}"
            found += [(method, path, viewset, extra.__name__) for method in extra.mapping]
    return found


OPERATIONS = operations()
NAMES = [f"{method} {path}" for method, path, _, _ in OPERATIONS]


def test_every_resource_stands_on_the_kernel_and_names_its_capabilities() -> None:
    for _method, path, viewset, action in OPERATIONS:
        assert issubclass(viewset, Resource), path
        assert isinstance(viewset.capabilities.get(action), Capability), f"{path}: {action} is not named"
    for _prefix, viewset, _basename in api.router.registry:
        unknown = set(viewset.capabilities) - {a for _, _, v, a in OPERATIONS if v is viewset}
        assert not unknown, f"{viewset.__name__} names actions it does not have: {unknown}"


@pytest.mark.django_db
def test_nobody_gets_in_without_a_token(client: Any) -> None:
    for method, path, _viewset, _action in OPERATIONS:
        assert_problem(getattr(client, method)(path), 401, "not_authenticated")


@pytest.mark.django_db
@pytest.mark.parametrize("role", list(Role))
def test_each_role_may_what_the_table_says_and_a_refusal_changes_nothing(role: Role) -> None:
    client = client_for(User.objects.create(name="x", email="x@example.com", role=role))
    client.get("/api/v1/me")
    before = digest()
    for method, path, viewset, action in OPERATIONS:
        body = {} if method in ("post", "patch") else None
        response = getattr(client, method)(path, body, format="json", HTTP_IF_MATCH="*")
        if not may(role, viewset.capabilities[action]):
            assert_problem(response, 403, "denied")
        else:
            assert response.status_code < 500, f"{method} {path}: {response.content!r}"
            assert response.status_code != 403 or action == "create", f"{method} {path}: {response.content!r}"
        if response.status_code >= 400:
            assert digest() == before, f"{method} {path} was refused and changed something"
        elif method != "get":  # some take an empty body: a draft starts from what is in force
            before = digest()


@pytest.mark.django_db
@pytest.mark.parametrize("role", list(Role))
def test_a_read_token_writes_nothing(role: Role) -> None:
    client = client_for(User.objects.create(name="x", email="x@example.com", role=role), "read")
    client.get("/api/v1/me")
    before = digest()
    for method, path, _viewset, _action in OPERATIONS:
        if method != "get":
            response = getattr(client, method)(path, {}, format="json", HTTP_IF_MATCH="*")
            assert_problem(response, 403, "scope_missing")
    assert digest() == before


@pytest.mark.django_db
def test_no_answer_holds_a_secret(settings: Any) -> None:
    admin = User.objects.create(name="x", email="x@example.com", role=Role.ADMIN)
    admin.set_password("canary password 1")
    admin.save(update_fields=["password"])
    client = client_for(admin)
    issued = endpoints.create(
        name="h", url="https://hooks.example.com/", topics=["*"], actor=admin, now=clock.now()
    )
    issued.endpoint.refresh_from_db()
    token = client._credentials["HTTP_AUTHORIZATION"].removeprefix("Bearer ")
    canaries = [issued.secret, issued.endpoint.secret, admin.password, token, token[12:], settings.SECRET_KEY]
    for method, path, _viewset, action in OPERATIONS:
        if method != "get":
            continue
        text = client.get(path).content.decode()
        if action == "list":
            for row in client.get(path).json().get("results", []):
                if "id" in row:
                    text += client.get(f"{path}/{row['id']}").content.decode()
        assert not [canary for canary in canaries if canary in text], path


def digest() -> str:
    """One hash over every row of every table of ours, but for when tokens were last used."""
    state = hashlib.sha256()
    with connection.cursor() as cursor:
        for model in sorted(apps.get_models(), key=lambda m: m._meta.db_table):
            if model.__module__.startswith(("smarketing", "leads", "funnel", "sla", "reporting")):
                table = model._meta.db_table
                cursor.execute(ROWS.format(table=table))
                state.update(f"{table}:{cursor.fetchone()[0]}".encode())
    return state.hexdigest()
